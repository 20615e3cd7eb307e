//! Advice on how to mend what refused a sign-in (H1); it names the setting here or at the identity provider (IdP).
//!
//! A reason is a rejection code of `saml`, a refusal of `sign_in`, or a code of the error catalogue.

/// The advice for reasons that are not in the table: there are none, and a test holds that.
const UNKNOWN: &str = "Compare what was wanted with what came, and change the setting of that name here or at the IdP.";

/// Finds the advice to an administrator about an attempt that was refused for this reason.
pub fn attempt_fix(reason: &str) -> &'static str {
    let tables = [
        TRANSPORT, XML, SIGNATURE, ADDRESSING, TIMES, CONTENT, IDENTITY, STATE, DISCOVERY, FORM_LOGIN, SWITCH,
        MAGIC_LINK,
    ];
    let found = tables.iter().flat_map(|table| table.iter()).find(|(reasons, _)| reasons.contains(&reason));
    found.map_or(UNKNOWN, |(_, fix)| fix)
}

type Table = &'static [(&'static [&'static str], &'static str)];

/// Messages that cannot be read as SAML.
const TRANSPORT: Table = &[
    (
        &["message_missing", "base64_invalid", "deflate_invalid", "not_utf8"],
        "The IdP did not send a base64-encoded SAML response. Set its response binding for our Reply URL (ACS) to HTTP-POST.",
    ),
    (
        &["response_by_get"],
        "The IdP sent its response by GET (HTTP-Redirect or artifact binding), which is not taken. At the IdP, set the response \
         binding of our Reply URL (ACS, Assertion Consumer Service) to HTTP-POST.",
    ),
    (
        &["message_too_long", "xml_too_long"],
        "The response is too large. At the IdP, send fewer attributes or groups: filter the group claim to the groups that \
         role_mappings names.",
    ),
];

/// The XML is not what an IdP has reason to send.
const XML: Table = &[
    (
        &[
            "doctype_refused",
            "entity_refused",
            "illegal_character",
            "malformed_xml",
            "unbound_prefix",
            "xml_encoding_refused",
            "xml_version_refused",
            "content_outside_root",
        ],
        "The response is not plain XML 1.0 in UTF-8 without DTD. Look for a proxy or plug-in that alters responses on their \
         way from the IdP; if the IdP itself writes it like this, update the IdP.",
    ),
    (
        &["too_deep", "too_many_attributes", "too_many_namespaces", "too_many_nodes", "too_many_assertions"],
        "The response has more parts than a sign-in needs. At the IdP, send one assertion and fewer attributes.",
    ),
    (
        &[
            "duplicate_attribute",
            "duplicate_id",
            "id_invalid",
            "unexpected_element",
            "unexpected_text",
            "text_expected",
        ],
        "The response does not have the shape that SAML prescribes. It was altered on its way, or the IdP is faulty: \
         update the IdP, and do not enable this by hand.",
    ),
];

/// Signatures that do not cover the data, or do not come from a trusted certificate.
const SIGNATURE: Table = &[
    (
        &["signature_missing"],
        "Neither the response nor its assertion is signed. At the IdP, switch on signing of the assertion (or of response and \
         assertion).",
    ),
    (
        &["signature_invalid", "key_type_mismatch"],
        "The signature was not made by one of the connection's certificates, or the response was altered. If the IdP changed its \
         signing certificate, import its metadata again or add the new certificate to certificates.",
    ),
    (
        &["certificate_missing"],
        "The connection has no certificate of the IdP. Import its metadata or add the certificate to certificates.",
    ),
    (
        &["certificate_expired"],
        "The certificate that verifies the signature has expired, and refuse_expired_certificates is set. Add the IdP's \
         current certificate to certificates.",
    ),
    (
        &["signature_algorithm_refused", "digest_algorithm_refused", "sha1_not_allowed"],
        "The IdP signs with an algorithm that is not accepted. Set its signature algorithm to RSA-SHA256; allow_sha1 is the \
         last resort for an IdP that cannot.",
    ),
    (
        &["canonicalization_refused", "transform_refused"],
        "The signature uses transforms that are not accepted. At the IdP, choose exclusive canonicalization \
         (xml-exc-c14n) with the enveloped-signature transform, which are the defaults.",
    ),
    (
        &["signature_structure", "signature_misplaced", "signature_comment", "reference_mismatch"],
        "The signature does not stand where it covers what is read. Treat this as an attempt to forge a response unless you \
         have just changed the IdP; then set it to sign the assertion as a whole.",
    ),
    (
        &["engines_disagree"],
        "Two independent verifiers read this signature differently, which a forged response can cause. Tell the operator, with the \
         attempt id.",
    ),
    (
        &["decryption_failed"],
        "The encrypted assertion does not open. Where the attempt names an algorithm, choose AES (128, 192 or 256) with RSA-OAEP at the \
         IdP instead. Else give the IdP the current SP certificate (sp-certificate) as its encryption certificate, or switch encryption \
         off there.",
    ),
];

/// Responses that are meant for another recipient, or come from another issuer.
const ADDRESSING: Table = &[
    (
        &["audience_mismatch", "audience_missing", "audience_unknown"],
        "The assertion names another audience. At the IdP, set Identifier (Entity ID, Audience URI) to this connection's \
         entity_id, character for character; each portal of each account has an identifier of its own.",
    ),
    (
        &["destination_mismatch", "destination_missing", "recipient_mismatch", "recipient_missing"],
        "The response is addressed elsewhere. At the IdP, set Reply URL (ACS URL, Single sign-on URL) to this connection's acs_url, \
         character for character: another case or a slash at its end is another address, and each portal of each account has an \
         address of its own.",
    ),
    (
        &["sent_to_another_address"],
        "The IdP sent the answer to a sign-in of this connection to an address that is not its acs_url: often that of another \
         portal or account, or one with a typing error. At the IdP, set Reply URL (ACS URL) and Identifier (Entity ID) of the \
         application to this connection's acs_url and entity_id.",
    ),
    (
        &["response_issuer_mismatch", "assertion_issuer_mismatch"],
        "Another issuer sent the response. Set idp_entity_id to the IdP's entity id as it came in the response, if that is your \
         IdP; several tenants of one IdP have different ones.",
    ),
    (
        &["response_issuer_missing", "assertion_issuer_missing"],
        "The response does not say who issued it. At the IdP, set its entity id (Issuer) and let it send it.",
    ),
];

/// Times that are too early or too late.
const TIMES: Table = &[
    (
        &[
            "assertion_not_yet_valid",
            "confirmation_not_yet_valid",
            "issue_instant_in_future",
            "authn_instant_in_future",
        ],
        "The IdP's clock is ahead. Synchronize it by NTP; clock_skew_seconds bridges up to 300 seconds.",
    ),
    (
        &["assertion_expired", "confirmation_expired"],
        "The response arrived after its time. Synchronize the IdP's clock by NTP, or raise the assertion's lifetime there; \
         clock_skew_seconds bridges up to 300 seconds. A page that was reloaded gives this too: start anew.",
    ),
    (
        &["confirmation_end_missing"],
        "The subject confirmation has no NotOnOrAfter. At the IdP, set a lifetime for assertions.",
    ),
    (
        &["idp_session_ended"],
        "The IdP says that its session (SessionNotOnOrAfter) has ended already, by our clock. Sign in there anew, raise the \
         session lifetime at the IdP, or set force_authn; if it has only begun there, synchronize the IdP's clock by NTP.",
    ),
    (&["time_invalid"], "A time in the response is not an xs:dateTime in UTC. Update the IdP."),
];

/// The response does not hold what a sign-in needs.
const CONTENT: Table = &[
    (
        &["status_not_success"],
        "The IdP refused the sign-in; what came names its reason. Often the person is not assigned to the application at the \
         IdP, or name_id_format or requested_authn_context asks for what the IdP does not offer.",
    ),
    (
        &[
            "status_missing",
            "response_missing",
            "not_a_response",
            "not_an_assertion",
            "assertion_missing",
            "version_refused",
        ],
        "What came is no SAML 2.0 response with an assertion. At the IdP, choose SAML 2.0 (not 1.1 or WS-Federation) for this \
         application.",
    ),
    (
        &["authn_statement_missing"],
        "The assertion does not say that somebody signed in. At the IdP, send an authentication assertion (AuthnStatement), not \
         attributes alone.",
    ),
    (
        &["bearer_confirmation_missing", "confirmation_data_repeated", "in_response_to_mismatch"],
        "The subject is not confirmed for this sign-in. At the IdP, use the Web Browser SSO profile with bearer confirmation; a \
         response from an earlier sign-in gives this too: start anew.",
    ),
    (
        &["condition_unknown"],
        "The assertion carries a condition that is not known here. At the IdP, remove custom conditions from the assertion.",
    ),
    (
        &["encrypted_attribute_unsupported", "encrypted_id_unsupported"],
        "Single attributes or the NameID are encrypted. At the IdP, encrypt the assertion as a whole instead, or not at all.",
    ),
    (
        &["attribute_invalid", "attribute_value_mixed", "name_id_repeated"],
        "An attribute or the NameID is not plain text. At the IdP, send the username and role attributes as strings, once each.",
    ),
];

/// Valid responses that name no user who may enter.
const IDENTITY: Table = &[
    (
        &["username_attribute_missing"],
        "None of username_attributes came. At the IdP, add a claim of that name with the email; or set username_attributes to \
         a name that came, or username_source to name_id.",
    ),
    (
        &["username_attribute_ambiguous"],
        "The username attributes have different values. At the IdP, send one value in one of them; or leave one name in \
         username_attributes.",
    ),
    (
        &["name_id_transient"],
        "username_source is name_id, and the IdP sends a transient NameID: another one at each sign-in, which names nobody. Set \
         username_source to attribute here; or, at the IdP, set the NameID format to email address or persistent, and \
         name_id_format here to the same.",
    ),
    (
        &["name_id_missing"],
        "username_source is name_id, and no NameID came. At the IdP, send one; or set username_source to attribute.",
    ),
    (
        &["username_invalid"],
        "What the IdP sends as username cannot be one: it is empty, too long, or has white space around it. Correct the claim's \
         source at the IdP.",
    ),
    (
        &["not_the_entered_email", "login_incorrect_credentials"],
        "The IdP signed in somebody else than was entered. Enter exactly the email that the IdP sends; if the browser is signed in \
         there as another person, sign out there first, or set force_authn.",
    ),
    (
        &["email_domain_not_listed"],
        "The email's domain is not one that the IdP may speak for. Add it to email_domains, if the company owns it.",
    ),
    (
        &["user_not_invited", "sso_email_not_configured"],
        "There is no such user, and the connection creates none. Create the user with this username or email, or set \
         provisioning to just_in_time; check email_domains too.",
    ),
    (
        &["invitation_expired"],
        "The user was invited, and the invitation has expired. An owner can resend it; then the sign-in works again.",
    ),
    (
        &["first_owner_sets_password"],
        "This is the account's first owner, whose invitation is accepted by its link alone: it sets a password, so that somebody \
         gets in when SSO does not work. They open the link of the mail; if it is lost, an owner or the operator resends it.",
    ),
    (&["user_inactive"], "The user was deactivated. An owner can set their status to active."),
    (
        &["break_glass_user"],
        "This is a break-glass user, who signs in with a password so that somebody gets in when SSO does not work. They use \
         their password, or an owner takes break_glass from them while another user has it, or makes them a second user for \
         SSO with another username and email.",
    ),
    (
        &["network_not_allowed"],
        "The sign-in came from outside the account's networks. If the address that came is one of yours, an owner adds its \
         network to allowed_networks; if it is a proxy's, the operator adds the proxy to trusted_proxies.",
    ),
    (
        &["multiple_usernames", "sso_multiple_usernames"],
        "Several active users go by this email. Deactivate or rename all but one.",
    ),
    (
        &["no_role"],
        "The user holds no role. Assign one, add the value that came to role_mappings, or set default_roles (they count only where \
         the IdP sends no role attribute).",
    ),
];

/// The response is good, and too late or out of place.
const STATE: Table = &[
    (
        &["response_replayed"],
        "The response was used before. Going back in the browser or reloading gives this: start anew. If nobody did, somebody \
         has copied a response.",
    ),
    (
        &["in_response_to_unknown", "relay_state_mismatch"],
        "The response belongs to a sign-in that this browser did not begin here. Start anew in one tab; if it goes on, check that \
         the IdP returns RelayState and InResponseTo unchanged.",
    ),
    (
        &["sign_in_too_slow", "session_expired"],
        "Over 15 minutes went by between the start and the IdP's answer. Start anew.",
    ),
    (
        &["unsolicited_response"],
        "The sign-in began at the IdP. Give people the saml_login_url as the application's link there, or set \
         allow_idp_initiated, which sends them through an ordinary sign-in.",
    ),
];

/// Attempts that did not get as far as the IdP.
const DISCOVERY: Table = &[
    (
        &["idp_unreachable"],
        "The login_url does not answer. Check it and the IdP; if this service cannot reach it and browsers can, switch \
         probe_login_url off.",
    ),
    (&["sso_account_not_configured"], "The portal has no enabled connection. Complete the connection and enable it."),
];

/// A username or email and a password were typed.
const FORM_LOGIN: Table = &[
    (
        &["user_unknown"],
        "Nobody has this username or email. Check the spelling and the account name; an owner invites whoever is missing.",
    ),
    (
        &["email_shared"],
        "Several active users have this email. Sign in by username, or give each user an email of their own.",
    ),
    (&["password_not_set"], "The user has not set a password. Resend the invitation, or let them reset the password."),
    (
        &["password_wrong"],
        "Let the user reset the password. Many of these from many addresses are somebody who guesses.",
    ),
    (&["user_deactivated"], "An owner deactivated the user, and an owner can set the status to active again."),
    (&["form_login_not_allowed"], "SSO is required of this user. Let them sign in with SSO."),
    (&["role_missing"], "The user knew the password and holds no role. Assign a role to the user."),
    (
        &["network_not_allowed"],
        "The address is outside of the account's allowed_networks. Add its network, or sign in from another.",
    ),
];

/// Refused switches from a linked account.
const SWITCH: Table = &[
    (
        &["switch_from_sandbox"],
        "They signed in at a sandbox, whose owners need not be yours. Let them sign in at the account itself.",
    ),
    (
        &["switch_not_by_form_login"],
        "They signed in with SSO, which speaks for its own account alone. Let them sign in by username and password there, or \
         here.",
    ),
    (
        &["switch_username_replaced"],
        "A migration to SSO replaced their username by their email, here or there. Give them their username again on both \
         sides, or let them sign in here.",
    ),
    (
        &["switch_not_served"],
        "No application of the admin portal serves this account. Register one, or ask the operator.",
    ),
    (
        &["switch_not_paired"],
        "They have paired none of your users with theirs. If they are to come here, invite them here, and let them pair the two \
         users by signing in to both accounts.",
    ),
    (
        &["switch_pair_void"],
        "Since they paired the two users, somebody else changed the username, an email, the password, the owner role or the \
         status of one. Let them pair anew by signing in to both accounts.",
    ),
    (&["switch_user_not_ready"], "Their user here is not active or holds no role. Activate it, or assign a role."),
    (
        &["switch_sso_required"],
        "SSO is required of them here. Let them sign in with SSO, or have an owner exempt them.",
    ),
    (
        &["switch_code_required"],
        "This account asks for a mailed code, and they signed in without one. Turn require_email_mfa on there, or let them sign \
         in here.",
    ),
];

/// A mailed link came back.
const MAGIC_LINK: Table = &[
    (&["link_used", "link_replaced"], "A link works once, and the newest alone. Ask for another one, and open that."),
    (
        &["link_expired"],
        "The mail came, or was opened, too late. Ask for another one; if mails are slow, an owner raises magic_link_seconds.",
    ),
    (
        &["link_invalid"],
        "The user was deactivated, or their email removed, after the link was mailed. An owner can make them active again.",
    ),
    (
        &["invitation_expired", "invitation_revoked"],
        "The invitation is over. An owner resends it, or invites the user anew.",
    ),
    (&["magic_link_unsupported"], "SSO became required after the link was mailed. Let the user sign in with SSO."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Names in the sources that look like reasons and are none.
    const NO_REASONS: [&str; 7] = [
        "account_switch",
        "unknown_role_value",
        "authn_statement",
        "subject_confirmation",
        "sp_initiated",
        "vestibule_sign_ins_refused_total",
        "login_decoy",
    ];

    /// Every quoted `snake_case` name outside tests.
    fn names(path: &Path, found: &mut BTreeSet<String>) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                names(&entry.unwrap().path(), found);
            }
            return;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
        let is_name = |text: &&str| {
            text.contains('_') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        found.extend(quoted.filter(is_name).map(str::to_owned));
    }

    /// Proves H1: whatever refuses a sign-in, the attempt says how to mend it.
    #[test]
    fn every_reason_has_its_advice() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut reasons = BTreeSet::new();
        names(&crates.join("saml/src"), &mut reasons);
        for file in ["refusal.rs", "unsolicited.rs", "admission.rs"] {
            names(&crates.join("service/src/sign_in").join(file), &mut reasons);
        }
        names(&crates.join("service/src/form_login/refusal.rs"), &mut reasons);
        names(&crates.join("service/src/account_switches/refusal.rs"), &mut reasons);
        assert!(reasons.len() > 80, "{reasons:?}");
        let without: Vec<_> = reasons
            .iter()
            .filter(|reason| !NO_REASONS.contains(&reason.as_str()) && attempt_fix(reason) == UNKNOWN)
            .collect();
        assert!(without.is_empty(), "{without:?}");
    }

    /// Proves H1: so does what a magic link is refused for.
    #[test]
    fn the_refusals_of_magic_links_have_their_advice() {
        for code in crate::magic_link::refusal::WRITTEN_DOWN {
            assert_ne!(attempt_fix(code.as_str()), UNKNOWN, "{code:?}");
        }
    }

    /// Proves H1: what discovery refuses has its advice too.
    #[test]
    fn the_refusals_of_discovery_have_their_advice() {
        use crate::Code;
        for code in [
            Code::SsoAccountNotConfigured,
            Code::SsoEmailNotConfigured,
            Code::SsoMultipleUsernames,
            Code::IdpUnreachable,
            Code::LoginIncorrectCredentials,
            Code::SessionExpired,
            Code::NoRole,
            Code::NetworkNotAllowed,
        ] {
            assert_ne!(attempt_fix(code.as_str()), UNKNOWN, "{code:?}");
        }
    }
}
