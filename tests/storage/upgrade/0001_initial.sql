-- Rows as the code of this era wrote them, for a database to which migrations were applied up to the one of the same
-- name. Each table has a row, each column that may be null is null in one row and set in another, and JSON is written
-- out as it was stored. The test writes ID'c01' (an id that ends with c01), DIGEST'41' (32 times this byte) and
-- BYTES'00ff' in the form of each engine. A username that gave way begins with U+0001.


-- Accounts

INSERT INTO accounts (id, name, display_name, search_text, created_at, updated_at, settings, sandbox_of) VALUES
    (ID'a01', 'acme', 'Ågren & Söner', 'acme
ågren & söner', 1800000000000, 1800000000001,
        '{"require_email_mfa": true, "allowed_networks": ["192.0.2.0/24", "2001:db8::/32"], "magic_link_seconds": 600,
        "invitation_seconds": 86400, "max_access_token_seconds": 300, "max_idle_seconds": 900,
        "max_session_seconds": 7200, "languages": ["sv", "en"]}', NULL),
    (ID'a02', 'acme-sandbox', 'Sandbox', 'acme-sandbox
sandbox', 1800000000000, 1800000000000, '{}', ID'a01'),
    (ID'a03', 'partner', 'Partner', 'partner
partner', 1800000000000, 1800000000000, '{"require_email_mfa": true}', NULL);

INSERT INTO account_names (name, account_id, released_at) VALUES
    ('acme', ID'a01', NULL),
    ('acme-before', ID'a01', 1800000000001),
    ('acme-sandbox', ID'a02', NULL),
    ('partner', ID'a03', NULL);

INSERT INTO account_branding (account_id, settings, updated_at) VALUES
    (ID'a01', '{"brand_name": "Ågrens", "logo_url": "https://acme.example/logo.png", "accent_color": "#1f4e79",
        "support_contact": "08-123 456", "sender_name": "Ågrens IT", "reply_to": "it@acme.example"}', 1800000000000),
    (ID'a02', '{"brand_name": null, "logo_url": null, "accent_color": null, "support_contact": null,
        "sender_name": null,
        "reply_to": null}', 1800000000000);

INSERT INTO api_keys (id, account_id, name, scopes, hint, digest, created_at, expires_at, last_used_at) VALUES
    (ID'f01', ID'a01', 'HR export', '["read", "users:write", "settings:write"]', 'vak_0123', DIGEST'f1', 1800000000000,
        1900000000000, 1800000000000),
    (ID'f02', ID'a01', 'Report', '["read"]', 'vak_4567', DIGEST'f2', 1800000000000, NULL, NULL);


-- Applications

INSERT INTO applications (id, account_id, portal, name, settings, is_default, created_at, updated_at) VALUES
    (ID'b01', ID'a01', 'admin', 'Console',
        '{"redirect_uris": ["https://app.acme.example/callback"], "allowed_origins": ["https://app.acme.example"],
        "initiate_login_uri": "https://app.acme.example/start",
        "lifetimes": {"access_token_seconds": 600, "idle_seconds": 7200, "session_seconds": 43200},
        "refresh_delivery": "cookie",
        "pages": {"accept_invitation": "https://app.acme.example/accept", "reset_password": null,
            "magic_link": "https://app.acme.example/link", "login": "https://app.acme.example/login"}}',
        TRUE, 1800000000000, 1800000000001),
    (ID'b02', NULL, 'self_service', 'Login page',
        '{"redirect_uris": ["https://login.example/callback"], "allowed_origins": ["https://login.example"],
        "initiate_login_uri": null,
        "lifetimes": {"access_token_seconds": 600, "idle_seconds": 7200, "session_seconds": 43200},
        "refresh_delivery": "json",
        "pages": {"accept_invitation": null, "reset_password": null, "magic_link": null, "login": null}}',
        FALSE, 1800000000000, 1800000000000);

INSERT INTO application_origins (application_id, account_id, origin) VALUES
    (ID'b01', ID'a01', 'https://app.acme.example'),
    (ID'b02', NULL, 'https://login.example');


-- Users

INSERT INTO users (id, account_id, portal, username, username_normalized, email, email_normalized, display_name,
        search_text, status, assigned_roles, saml_roles, last_sign_in_at, last_sign_in_method, created_at, updated_at,
        break_glass, recovery_email, require_email_mfa, exempt, credential_epoch) VALUES
    (ID'c01', ID'a01', 'admin', 'Åsa@räk.example', 'åsa@xn--rk-via.example', 'Åsa@räk.example',
        'åsa@xn--rk-via.example',
        'Åsa Öberg', 'åsa@xn--rk-via.example
åsa@räk.example
åsa öberg', 'active', '["organization_owner", "organization_context_manager"]', '["organization_member"]',
        1800000000000, 'password_and_code', 1800000000000, 1800000000001, TRUE, 'asa@home.example', TRUE, TRUE, 3),
    (ID'c02', ID'a01', 'admin', 'bo', 'bo', NULL, NULL, NULL, 'bo

', 'inactive', '["organization_member"]', '[]', NULL, NULL, 1800000000000, 1800000000000, FALSE, NULL, FALSE, FALSE, 0),
    (ID'c03', ID'a01', 'self_service', 'cecilia@acme.example', 'usr_01900000000070008000000000000c03',
        'cecilia@acme.example', NULL, NULL, 'cecilia
cecilia@acme.example
', 'archived', '[]', '[]', 1800000000000, 'magic_link', 1800000000000, 1800000000000, FALSE, NULL, FALSE, FALSE, 1),
    (ID'c04', ID'a01', 'admin', 'dan', 'dan', 'dan@acme.example', 'dan@acme.example', NULL, 'dan
dan@acme.example
', 'invited', '["organization_member"]', '[]', NULL, NULL, 1800000000000, 1800000000000, FALSE, NULL, FALSE, FALSE, 0),
    (ID'c11', ID'a02', 'admin', 'asa', 'asa', NULL, NULL, NULL, 'asa

', 'active', '["organization_owner"]', '[]', 1800000000000, 'saml', 1800000000000, 1800000000000, FALSE, NULL, FALSE,
        FALSE, 1);


-- Credentials

INSERT INTO password_credentials (user_id, account_id, hash, must_change, set_at, expires_at, drilled_at) VALUES
    (ID'c01', ID'a01', '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$UW5kZXIgaGFzaCBvZiB0aGlydHktdHdvIGJ5dGVz',
        FALSE, 1800000000000, NULL, 1800000000001),
    (ID'c02', ID'a01', '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$UW5kZXIgaGFzaCBvZiB0aGlydHktdHdvIGJ5dGVz',
        TRUE, 1800000000000, 1800604800000, NULL);

INSERT INTO one_time_links (digest, account_id, user_id, purpose, created_at, expires_at, ended_at, ended_reason,
        credential_epoch) VALUES
    (DIGEST'11', ID'a01', ID'c01', 'password_reset', 1800000000000, 1800003600000, 1800000000001, 'used', 2),
    (DIGEST'12', ID'a01', ID'c02', 'magic_link', 1800000000000, 1800000300000, 1800000000001, 'replaced', 0),
    (DIGEST'13', ID'a01', ID'c04', 'invitation', 1800000000000, 1800604800000, NULL, NULL, 0),
    (DIGEST'14', ID'a02', ID'c11', 'account_pairing', 1800000000000, 1800000300000, NULL, NULL, 1);

INSERT INTO throttles (digest, clear_at) VALUES (DIGEST'21', 1800000060000);

INSERT INTO known_logins (digest, seen_at) VALUES (DIGEST'22', 1800000000000);


-- Invitations

INSERT INTO invitations (id, account_id, portal, user_id, batch_id, username, email, search_text, invited_by,
        invited_at, mailed_at, expires_at, sends, accepted_at, accepted_method, revoked_at, first_owner,
        revoked_username, revoked_email) VALUES
    (ID'101', ID'a01', 'admin', ID'c01', NULL, 'åsa@räk.example', 'åsa@räk.example', 'åsa@räk.example
åsa@räk.example
åsa öberg', NULL, 1800000000000, 1800000000001, 1800604800000, 1, 1800000000002, 'password', NULL, TRUE, NULL, NULL),
    (ID'102', ID'a01', 'admin', ID'c04', ID'10b', 'dan', 'dan@acme.example', 'dan
dan@acme.example
', ID'c01', 1800000000000, 1800000000001, 1800604800000, 2, NULL, NULL, 1800000000003, FALSE, 'dan',
        'dan@acme.example'),
    (ID'103', ID'a02', 'admin', ID'c11', NULL, 'asa', NULL, 'asa

', NULL, 1800000000000, NULL, NULL, 0, NULL, NULL, NULL, TRUE, NULL, NULL);


-- Links between accounts

INSERT INTO account_links (account_id, other_account_id, id, relation, state, requested_at, accepted_at) VALUES
    (ID'a01', ID'a02', ID'201', 'sandbox', 'accepted', 1800000000000, 1800000000000),
    (ID'a02', ID'a01', ID'201', 'sandbox_of', 'accepted', 1800000000000, 1800000000000),
    (ID'a01', ID'a03', ID'202', 'linked', 'requested', 1800000000000, NULL),
    (ID'a03', ID'a01', ID'202', 'linked', 'asked', 1800000000000, NULL);

INSERT INTO account_pairs (account_id, user_id, other_account_id, other_user_id, id, credential_epoch, created_at)
VALUES
    (ID'a01', ID'c01', ID'a02', ID'c11', ID'211', 3, 1800000000000),
    (ID'a02', ID'c11', ID'a01', ID'c01', ID'211', 1, 1800000000000);


-- Connections

INSERT INTO saml_connections (id, account_id, portal, sp_hash, mode, settings, created_at, updated_at, tested_at,
        tested_version) VALUES
    (ID'e01', ID'a01', 'admin', '0123456789abcdef0123', 'required',
        '{"idp_entity_id": "https://idp.acme.example/", "login_url": "https://idp.acme.example/sso",
        "request_binding": "http_post",
        "certificates": [{"pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "sha256_fingerprint": "00ff", "subject": "CN=idp", "key": "RSA 2048",
            "not_before": "2026-01-01T00:00:00Z", "not_after": "2036-01-01T00:00:00Z"}],
        "refuse_expired_certificates": true, "metadata_url": "https://idp.acme.example/metadata",
        "sign_requests": true, "allow_sha1": true, "allow_idp_initiated": true, "clock_skew_seconds": 60,
        "probe_login_url": false, "name_id_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        "force_authn": true, "requested_authn_context": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        "username_source": "name_id", "username_attributes": ["mail"], "provisioning": "invited_only",
        "email_domains": ["acme.example"], "default_roles": ["organization_member"],
        "role_mappings": {"admins": ["organization_owner"]}, "button_text": "Logga in"}',
        1800000000000, 1800000000002, 1800000000001, 1800000000002),
    (ID'e02', ID'a02', 'self_service', '0123456789abcdef0124', 'off',
        '{"idp_entity_id": null, "login_url": null, "request_binding": "http_redirect", "certificates": [],
        "refuse_expired_certificates": false, "metadata_url": null, "sign_requests": false, "allow_sha1": false,
        "allow_idp_initiated": false, "clock_skew_seconds": 120, "probe_login_url": true, "name_id_format": null,
        "force_authn": false, "requested_authn_context": null, "username_source": "attribute",
        "username_attributes": ["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"],
        "provisioning": "just_in_time", "email_domains": [], "default_roles": [], "role_mappings": {},
        "button_text": "Sign in with SSO"}',
        1800000000000, 1800000000000, NULL, NULL);

INSERT INTO sp_keys (id, account_id, connection_id, certificate_der, sealed_private_key, created_at, retires_at) VALUES
    (ID'301', ID'a01', ID'e01', BYTES'3082', BYTES'00ff01', 1800000000000, 1800604800000),
    (ID'302', ID'a01', ID'e01', BYTES'3082', BYTES'00ff02', 1800000000001, NULL);


-- Sign-in attempts

-- One that waits for the identity provider.
INSERT INTO sign_in_attempts (id, account_id, portal, connection_id, application_id, kind, stage, outcome,
        entered_email, warnings, client_address, started_at, updated_at, request_id, handle_digest, redirect_uri, state,
        code_challenge, expires_at, client_key) VALUES
    (ID'401', ID'a01', 'admin', ID'e01', ID'b01', 'sp_initiated', 'sent_to_idp', 'pending', 'asa@acme.example', '[]',
        '192.0.2.1',
        1800000000000, 1800000000000, '_01900000000070008000000000000401', DIGEST'41',
        'https://app.acme.example/callback',
        'state', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 1800000900000, '4c0000201');

-- Two that gave a code: by SAML, and by a switch from another account, exchanged for a session.
INSERT INTO sign_in_attempts (id, account_id, portal, connection_id, application_id, kind, stage, outcome, user_id,
        warnings, client_address, started_at, updated_at, request_id, handle_digest, redirect_uri, state,
        code_challenge, expires_at, assertion_digest, code_digest, code_issued_at, method, auth_time, external_roles,
        session_not_on_or_after, session_id, home_account_id, home_user_id, assertion_issued_at, credential_epoch,
        home_credential_epoch, client_key) VALUES
    (ID'402', ID'a01', 'admin', ID'e01', ID'b01', 'sp_initiated', 'code_issued', 'pending', ID'c01',
        '["The certificate has expired"]', '192.0.2.1', 1800000000000, 1800000000001,
        '_01900000000070008000000000000402', DIGEST'42', 'https://app.acme.example/callback', NULL,
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 1800000900000, DIGEST'43', DIGEST'44', 1800000000001, 'saml',
        1800000000000,
        '["admins"]', 1800003600000, NULL, NULL, NULL, 1800000000000, 3, NULL, '4c0000201'),
    (ID'403', ID'a02', 'admin', NULL, ID'b01', 'switch', 'session_issued', 'succeeded', ID'c11', '[]', '192.0.2.1',
        1800000000000,
        1800000000001, NULL, NULL, 'https://app.acme.example/callback', NULL,
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 1800000900000, NULL, DIGEST'45', 1800000000001, 'password',
        1800000000000, NULL, NULL, ID'501', ID'a01', ID'c01', NULL, 1, 3, NULL);

-- A form login that waits for a mailed code.
INSERT INTO sign_in_attempts (id, account_id, portal, application_id, kind, stage, outcome, entered_email, user_id,
        warnings, client_address, started_at, updated_at, handle_digest, redirect_uri, code_challenge, expires_at,
        method, auth_time, awaits, credential_epoch) VALUES
    (ID'404', ID'a01', 'admin', ID'b01', 'form', 'user_resolved', 'pending', 'Åsa@räk.example', ID'c01', '[]',
        '2001:db8::1',
        1800000000000, 1800000000000, DIGEST'46', 'https://app.acme.example/callback',
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 1800000900000, 'password', 1800000000000, 'mfa_code', 3);

-- Two that were refused, with what was wanted and without, and a test with what it found.
INSERT INTO sign_in_attempts (id, account_id, portal, connection_id, application_id, kind, stage, outcome, failure,
        entered_email, warnings, saml_message, client_address, started_at, updated_at, assertion_digest, findings,
        client_key) VALUES
    (ID'405', ID'a01', 'admin', ID'e01', NULL, 'idp_initiated', 'response_received', 'refused',
        '{"code": "sso_failed", "reason": "audience_mismatch", "check": "audience", "wanted": "https://us.example/",
        "got": "https://them.example/"}', NULL, '[]', '<Response/>', '192.0.2.1', 1800000000000, 1800000000000, NULL,
        NULL, '4c0000201'),
    (ID'406', ID'a01', 'admin', NULL, NULL, 'form', 'started', 'refused',
        '{"code": "invalid_credentials", "reason": "unknown_user", "check": "user", "wanted": null, "got": null}',
        'eve@acme.example', '[]', NULL, '192.0.2.1', 1800000000000, 1800000000000, NULL, NULL, '4c0000201'),
    (ID'407', ID'a01', 'admin', ID'e01', NULL, 'test', 'user_resolved', 'succeeded', NULL, NULL, '[]', '<Response/>',
        '192.0.2.1', 1800000000000, 1800000000001, DIGEST'47',
        '{"checks": [{"check": "signature", "state": "passed", "wanted": "a signature", "got": null},
            {"check": "audience", "state": "not_reached", "wanted": null, "got": "https://us.example/"}],
        "name_id": true, "attributes": [{"name": "mail", "values": 1}],
        "user": {"subject": "bound", "username": "asa@acme.example", "user_id": "usr_01900000000070008000000000000c01"},
        "roles": [{"origin": "role_mappings", "value": "admins", "roles": ["organization_owner"]},
            {"origin": "assigned", "value": null, "roles": []}]}', '4c0000201');

INSERT INTO mfa_codes (attempt_id, account_id, digest, tries, sent_at, credential_epoch) VALUES
    (ID'404', ID'a01', DIGEST'48', 2, 1800000000000, 3);


-- Sessions

INSERT INTO sessions (id, account_id, user_id, application_id, portal, method, auth_time, external_roles, created_at,
        refreshed_at, expires_at, ended_at, ended_reason, home_account_id, home_user_id, credential_epoch,
        home_credential_epoch) VALUES
    (ID'501', ID'a02', ID'c11', ID'b01', 'admin', 'password', 1800000000000, '[]', 1800000000000, 1800000000000,
        1800043200000,
        NULL, NULL, ID'a01', ID'c01', 1, 3),
    (ID'502', ID'a01', ID'c01', ID'b01', 'admin', 'saml', 1800000000000, '["admins"]', 1800000000000, 1800000000000,
        1800043200000,
        1800000000001, 'refresh_token_reused', NULL, NULL, 3, NULL);

INSERT INTO refresh_tokens (digest, account_id, session_id, issued_at, rotated_at, sealed_successor) VALUES
    (DIGEST'51', ID'a02', ID'501', 1800000000000, 1800000000001, BYTES'00ff'),
    (DIGEST'52', ID'a02', ID'501', 1800000000001, NULL, NULL);


-- Mail

INSERT INTO outbox (id, account_id, kind, language, recipient, message_id, sealed_message, state, urgent, attempts,
        due_at, last_error, expires_at, settled_at, created_at, batch_id, user_id, credential_epoch) VALUES
    (ID'601', ID'a01', 'temporary_password', 'sv', 'åsa@räk.example', 'mail_601@login.example', NULL, 'sending',
        FALSE, 1,
        1800000060000, '451 later', 1800604800000, NULL, 1800000000000, ID'611', ID'c01', NULL),
    (ID'602', NULL, 'test', 'en', 'operator@example.com', 'mail_602@login.example', NULL, 'delivered', TRUE, 1, NULL,
        NULL,
        NULL, 1800000000001, 1800000000000, NULL, NULL, NULL),
    (ID'603', ID'a01', 'magic_link', 'en', 'bo@acme.example', 'mail_603@login.example', BYTES'00ff', 'queued', TRUE, 0,
        1800000000000, NULL, 1800000300000, NULL, 1800000000000, NULL, ID'c02', 0);

INSERT INTO outbox_batches (id, account_id, sealed_message, created_at) VALUES
    (ID'611', ID'a01', BYTES'00ff', 1800000000000);


-- SSO migrations

INSERT INTO sso_migrations (id, account_id, portal, direction, state, reverts, options, decisions, digest, counts,
        blockers, created_by, created_at, updated_at, signed_off_by, signed_off_at, sign_off_expires_at, applied_by,
        applied_at, effects, sign_off_override_reason, sign_off_override_version) VALUES
    (ID'701', ID'a01', 'admin', 'require', 'applied', NULL,
        '{"retain_admin": false, "unite_roles": true, "end_sso_sessions": true, "mail_inactive": false,
        "restore_usernames": false, "restore_duplicates": false}',
        '{"usr_01900000000070008000000000000c03": {"choice": "remove", "unite_roles": true},
        "usr_01900000000070008000000000000c02": {"choice": "keep", "unite_roles": null}}',
        '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
        '{"users": 3, "actions": {"rename": 1, "keep": 1, "remove_duplicate": 1}, "mails": {"sso_required": 1}}',
        '[]', ID'c01', 1800000000000, 1800000000002, ID'c01', 1800000000001, 1800604800000, ID'c01', 1800000000002,
        '{"sessions_ended": 2, "links_ended": 1}', 'The identity provider answers nobody yet', 1800000000000),
    (ID'702', ID'a01', 'admin', 'revert', 'previewed', ID'701',
        '{"retain_admin": true, "unite_roles": false, "end_sso_sessions": false, "mail_inactive": true,
        "restore_usernames": true, "restore_duplicates": true}',
        '{}', '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdee',
        '{"users": 1, "actions": {"conflict": 1}, "mails": {}}', '["undecided_conflicts", "connection_untested"]',
        ID'c01', 1800000000000, 1800000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO sso_migration_rows (account_id, migration_id, user_id, version, action, details, choices, before_snapshot,
        after_username, after_username_normalized, after_email, after_email_normalized, after_recovery_email,
        after_status, after_assigned_roles, after_exempt, search_from, tombstone, mail_kind, mail_id, message_id, voids)
VALUES
    (ID'a01', ID'701', ID'c01', 1800000000000, 'rename',
        '{"action": "rename", "from": "asa", "to": "Åsa@räk.example"}', '["exempt"]',
        '{"username": "asa", "email": "Åsa@räk.example", "recovery_email": null, "status": "active",
        "assigned_roles": ["organization_owner"], "exempt": false}',
        'Åsa@räk.example', 'åsa@xn--rk-via.example', 'Åsa@räk.example', 'åsa@xn--rk-via.example', 'asa@home.example',
        'active', '["organization_owner"]', FALSE, 4, NULL, 'sso_required', ID'601', 'mail_601@login.example', TRUE),
    (ID'a01', ID'701', ID'c02', 1800000000000, 'keep', '{"action": "keep", "reason": "inactive"}', '[]',
        '{"username": "bo", "email": null, "recovery_email": null, "status": "inactive",
        "assigned_roles": ["organization_member"], "exempt": false}',
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, NULL, FALSE),
    (ID'a01', ID'701', ID'c03', 1800000000000, 'remove_duplicate',
        '{"action": "remove_duplicate", "stays": "usr_01900000000070008000000000000c01", "rule": "last_sign_in",
        "removed": {"status": "active", "last_sign_in_at": null, "roles": [], "created_at": "2026-01-01T00:00:00Z"},
        "kept": {"status": "active", "last_sign_in_at": "2026-02-01T00:00:00Z", "roles": ["organization_owner"],
            "created_at": "2026-01-01T00:00:00Z"}, "roles": [], "roles_united": true}',
        '["stay", "exempt"]',
        '{"username": "cecilia", "email": "cecilia@acme.example", "recovery_email": "c@home.example",
        "status": "active", "assigned_roles": [], "exempt": true}',
        'cecilia', 'usr_01900000000070008000000000000c03', 'cecilia@acme.example', NULL, NULL, 'archived', '[]',
        FALSE, 8, 'usr_01900000000070008000000000000c03', NULL, NULL, NULL,
        TRUE),
    (ID'a01', ID'702', ID'c01', 1800000000000, 'conflict',
        '{"action": "conflict", "kind": "username_taken", "with": ["usr_01900000000070008000000000000c02"]}',
        '["keep"]',
        '{"username": "Åsa@räk.example", "email": null, "recovery_email": null, "status": "active",
        "assigned_roles": [], "exempt": false}',
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 16, NULL, NULL, NULL, NULL, FALSE);


-- The installation

INSERT INTO signing_keys (id, algorithm, state, since, created_at, public_jwk, sealed_private_key) VALUES
    (ID'801', 'ES256', 'active', 1800000000001, 1800000000000, '{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}',
        BYTES'00ff'),
    (ID'802', 'EdDSA', 'upcoming', 1800000000001, 1800000000000, '{"kty": "OKP", "crv": "Ed25519", "x": "AA"}',
        BYTES'00ff'),
    (ID'803', 'RS256', 'retiring', 1800000000001, 1800000000000, '{"kty": "RSA", "n": "AA", "e": "AQAB"}',
        BYTES'00ff');

INSERT INTO operator_keys (id, name, digest, created_at, revoked_at) VALUES
    (ID'811', 'Night shift', DIGEST'81', 1800000000000, NULL),
    (ID'812', 'Before', DIGEST'82', 1800000000000, 1800000000001);

INSERT INTO audit_events (id, account_id, at, actor_kind, actor_id, action, target, changes, client_address) VALUES
    (ID'821', ID'a01', 1800000000000, 'user', 'usr_01900000000070008000000000000c01', 'user.updated',
        'usr_01900000000070008000000000000c02',
        '[{"property": "status", "before": "active", "after": "inactive"},
        {"property": "email", "before": "bo@acme.example", "after": null}]', '192.0.2.1'),
    (ID'822', NULL, 1800000000000, 'command_line', NULL, 'operator_key.created', 'opkey', '[]', NULL);

INSERT INTO idempotency_records (caller, key, request_digest, resource, created_at) VALUES
    ('usr_01900000000070008000000000000c01', 'retry-1', DIGEST'83', 'usr_01900000000070008000000000000c02',
        1800000000000);

INSERT INTO installation (key, value) VALUES ('master_key_canary', BYTES'00ff');

INSERT INTO pending_rewrites (name) VALUES ('identities');
