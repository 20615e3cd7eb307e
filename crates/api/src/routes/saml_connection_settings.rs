//! The settings of a SAML connection on the wire: how they are read, and how they are changed.

use std::collections::BTreeMap;

use domain::email::EmailDomain;
use domain::portal::Portal;
use domain::role::RoleSet;
use domain::sso::connection::{Provisioning, RequestBinding, UsernameSource};
use domain::text::Label;
use jiff::Timestamp;
use url::Url;
use utoipa::ToSchema;

use super::merged::bodies;
use super::names::{PortalName, ProvisioningName, RequestBindingName, RoleName, UsernameSourceName};

/// Settings of a SAML connection, as an administrator sets them.
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a form")]
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of the domain's settings, which are sent as they are")]
pub struct SamlConnectionSettings {
    /// The identity provider's entity id, as in `Issuer` (C7).
    #[schema(max_length = 1024, example = "https://idp.example.com/metadata")]
    idp_entity_id: Option<String>,
    /// The identity provider's SSO URL, where requests go; https (C7).
    #[schema(value_type = Option<String>, example = "https://idp.example.com/sso")]
    login_url: Option<Url>,
    /// SAML binding that carries requests to the login URL.
    #[schema(value_type = RequestBindingName)]
    request_binding: RequestBinding,
    /// The certificates that verify responses (C5); only these are trusted.
    certificates: Vec<Certificate>,
    /// Whether an expired certificate stops verifying.
    refuse_expired_certificates: bool,
    /// URL at which the identity provider publishes its metadata; https.
    #[schema(value_type = Option<String>)]
    metadata_url: Option<Url>,
    /// Whether requests are signed (C6).
    sign_requests: bool,
    /// Whether SHA-1 signatures are accepted; better not.
    allow_sha1: bool,
    /// Whether an unsolicited response, initiated by the identity provider, begins a sign-in (C10).
    allow_idp_initiated: bool,
    /// Seconds by which the identity provider's clock may be off. At most 300.
    #[schema(maximum = 300)]
    clock_skew_seconds: u16,
    /// Whether the login URL is tried before a browser is sent there (D3).
    probe_login_url: bool,
    /// The `NameIDPolicy` format of requests.
    name_id_format: Option<String>,
    /// Whether the identity provider is asked to authenticate anew (`ForceAuthn`).
    force_authn: bool,
    /// The authentication context class that requests ask for.
    requested_authn_context: Option<String>,
    /// Part of the assertion that the username is read from (C2).
    #[schema(value_type = UsernameSourceName)]
    username_source: UsernameSource,
    /// The attributes that may hold the username, in order of preference (C2). At most 8.
    #[schema(max_items = 8)]
    username_attributes: Vec<String>,
    /// Treatment of users who are not known yet (C3).
    #[schema(value_type = ProvisioningName)]
    provisioning: Provisioning,
    /// The email domains that the identity provider speaks for; empty for all (C3). At most 500.
    #[schema(value_type = Vec<String>, max_items = 500, example = json!(["acme.example"]))]
    email_domains: Vec<EmailDomain>,
    /// Roles of a user whose assertion has no role attribute (C4).
    #[schema(value_type = Vec<RoleName>)]
    default_roles: RoleSet,
    /// Role values of the identity provider, and what each grants (C4); all of them. At most 500.
    #[schema(value_type = BTreeMap<String, Vec<RoleName>>)]
    role_mappings: BTreeMap<String, RoleSet>,
    /// Text of the login button (C8).
    #[schema(value_type = String, max_length = 200)]
    button_text: Label,
}

/// A certificate of the identity provider.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of the domain's certificates, which are sent as they are")]
struct Certificate {
    /// The certificate in PEM.
    pem: String,
    /// SHA-256 of its DER form, in hexadecimal.
    sha256_fingerprint: String,
    /// Subject that the certificate names.
    subject: String,
    /// Type and size of its key.
    #[schema(example = "RSA 2048")]
    key: String,
    /// Time from which it is valid.
    not_before: Timestamp,
    /// Time until which it is valid.
    not_after: Timestamp,
}

/// Settings that have another form where they are sent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema alone")]
struct SentSettings {
    /// All certificates, in PEM; each text may hold several. At most 8.
    #[schema(required = false, max_items = 8)]
    certificates: Vec<String>,
}

/// Members that a connection is created with, beside its settings.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema alone")]
struct NewConnectionMembers {
    /// Portal of the connection; each portal has one at most.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// All certificates, in PEM; each text may hold several. At most 8.
    #[schema(required = false, max_items = 8)]
    certificates: Vec<String>,
}

bodies! {
    merge_patch:
    /// Changes to a connection. A setting that is left out stays; null removes an optional one.
    UpdateSamlConnection = SamlConnectionSettings, SentSettings;
    /// Settings of a connection to create. Each that is left out has its default.
    CreateSamlConnection = SamlConnectionSettings, NewConnectionMembers;
}
