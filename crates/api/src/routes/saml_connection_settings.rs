//! The settings of a SAML connection on the wire: how they are read, and how they are changed.

use std::collections::BTreeMap;

use domain::email::EmailDomain;
use domain::portal::Portal;
use domain::role::RoleSet;
use domain::sso::connection::{ConnectionSettings, PinnedCertificate, Provisioning, RequestBinding, UsernameSource};
use domain::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::ConnectionPatch;
use url::Url;
use utoipa::ToSchema;

use super::names::{PortalName, ProvisioningName, RequestBindingName, RoleName, UsernameSourceName};
use crate::extract::{given, nullable};

/// Settings of a SAML connection, as an administrator sets them.
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a form")]
#[derive(Debug, Serialize, ToSchema)]
pub struct SamlConnectionSettings {
    /// The identity provider's entity id, as in `Issuer` (C7).
    #[schema(example = "https://idp.example.com/metadata")]
    idp_entity_id: Option<String>,
    /// The identity provider's SSO URL, where requests go (C7).
    #[schema(value_type = Option<String>, example = "https://idp.example.com/sso")]
    login_url: Option<Url>,
    /// SAML binding that carries requests to the login URL.
    #[schema(value_type = RequestBindingName)]
    request_binding: RequestBinding,
    /// The certificates that verify responses (C5); only these are trusted.
    certificates: Vec<Certificate>,
    /// Whether an expired certificate stops verifying.
    refuse_expired_certificates: bool,
    /// URL at which the identity provider publishes its metadata.
    #[schema(value_type = Option<String>)]
    metadata_url: Option<Url>,
    /// Whether requests are signed (C6).
    sign_requests: bool,
    /// Whether SHA-1 signatures are accepted; better not.
    allow_sha1: bool,
    /// Whether an unsolicited response, initiated by the identity provider, begins a sign-in (C10).
    allow_idp_initiated: bool,
    /// Seconds by which the identity provider's clock may be off.
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
    /// The attributes that may hold the username, in order of preference (C2).
    username_attributes: Vec<String>,
    /// Treatment of users who are not known yet (C3).
    #[schema(value_type = ProvisioningName)]
    provisioning: Provisioning,
    /// The email domains that the identity provider speaks for; empty for all (C3).
    #[schema(value_type = Vec<String>, example = json!(["acme.example"]))]
    email_domains: Vec<EmailDomain>,
    /// Roles of a user whose assertion has no role attribute (C4).
    #[schema(value_type = Vec<RoleName>)]
    default_roles: RoleSet,
    /// Role values of the identity provider, and what each grants (C4).
    #[schema(value_type = BTreeMap<String, Vec<RoleName>>)]
    role_mappings: BTreeMap<String, RoleSet>,
    /// Text of the login button (C8).
    #[schema(value_type = String)]
    button_text: Label,
}

impl From<ConnectionSettings> for SamlConnectionSettings {
    fn from(settings: ConnectionSettings) -> Self {
        Self {
            idp_entity_id: settings.idp_entity_id,
            login_url: settings.login_url,
            request_binding: settings.request_binding,
            certificates: settings.certificates.into_iter().map(Certificate::from).collect(),
            refuse_expired_certificates: settings.refuse_expired_certificates,
            metadata_url: settings.metadata_url,
            sign_requests: settings.sign_requests,
            allow_sha1: settings.allow_sha1,
            allow_idp_initiated: settings.allow_idp_initiated,
            clock_skew_seconds: settings.clock_skew_seconds,
            probe_login_url: settings.probe_login_url,
            name_id_format: settings.name_id_format,
            force_authn: settings.force_authn,
            requested_authn_context: settings.requested_authn_context,
            username_source: settings.username_source,
            username_attributes: settings.username_attributes,
            provisioning: settings.provisioning,
            email_domains: settings.email_domains,
            default_roles: settings.default_roles,
            role_mappings: settings.role_mappings,
            button_text: settings.button_text,
        }
    }
}

/// A certificate of the identity provider.
#[derive(Debug, Serialize, ToSchema)]
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

impl From<PinnedCertificate> for Certificate {
    fn from(pinned: PinnedCertificate) -> Self {
        let PinnedCertificate { pem, sha256_fingerprint, subject, key, not_before, not_after } = pinned;
        Self { pem, sha256_fingerprint, subject, key, not_before, not_after }
    }
}

/// Declares a body of settings: two bodies have them all, and each must refuse fields that it does not know.
macro_rules! settings_body {
    ($(#[$meta:meta])* $name:ident { $($first:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($first)*
            /// The identity provider's entity id, as in `Issuer`.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>, max_length = 1024, example = "https://idp.example.com/metadata")]
            idp_entity_id: Option<Option<String>>,
            /// The identity provider's SSO URL; https.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>, example = "https://idp.example.com/sso")]
            login_url: Option<Option<Url>>,
            /// SAML binding that carries requests to the login URL.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = RequestBindingName, required = false)]
            request_binding: Option<RequestBinding>,
            /// All certificates, in PEM; each text may hold several. At most 8.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Vec<String>, required = false, max_items = 8)]
            certificates: Option<Vec<String>>,
            /// Whether an expired certificate stops verifying.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = bool, required = false)]
            refuse_expired_certificates: Option<bool>,
            /// URL at which the identity provider publishes its metadata; https.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            metadata_url: Option<Option<Url>>,
            /// Whether requests are signed.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = bool, required = false)]
            sign_requests: Option<bool>,
            /// Whether SHA-1 signatures are accepted.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = bool, required = false)]
            allow_sha1: Option<bool>,
            /// Whether an unsolicited response, initiated by the identity provider, begins a sign-in.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = bool, required = false)]
            allow_idp_initiated: Option<bool>,
            /// Seconds by which the identity provider's clock may be off. At most 300.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = u16, required = false, maximum = 300)]
            clock_skew_seconds: Option<u16>,
            /// Whether the login URL is tried before a browser is sent there.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = bool, required = false)]
            probe_login_url: Option<bool>,
            /// The `NameIDPolicy` format of requests.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            name_id_format: Option<Option<String>>,
            /// Whether the identity provider is asked to authenticate anew.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = bool, required = false)]
            force_authn: Option<bool>,
            /// The authentication context class that requests ask for.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            requested_authn_context: Option<Option<String>>,
            /// Part of the assertion that the username is read from.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = UsernameSourceName, required = false)]
            username_source: Option<UsernameSource>,
            /// The attributes that may hold the username, in order of preference. At most 8.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Vec<String>, required = false, max_items = 8)]
            username_attributes: Option<Vec<String>>,
            /// Treatment of users who are not known yet.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = ProvisioningName, required = false)]
            provisioning: Option<Provisioning>,
            /// The email domains that the identity provider speaks for; empty for all. At most 500.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Vec<String>, required = false, max_items = 500)]
            email_domains: Option<Vec<EmailDomain>>,
            /// Roles of a user whose assertion has no role attribute.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Vec<RoleName>, required = false)]
            default_roles: Option<RoleSet>,
            /// Role values of the identity provider, and what each grants; all of them. At most 500.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = BTreeMap<String, Vec<RoleName>>, required = false)]
            role_mappings: Option<BTreeMap<String, RoleSet>>,
            /// Text of the login button.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = String, required = false, max_length = 200)]
            button_text: Option<Label>,
        }

        impl From<$name> for ConnectionPatch {
            fn from(body: $name) -> Self {
                Self {
                    idp_entity_id: body.idp_entity_id,
                    login_url: body.login_url,
                    request_binding: body.request_binding,
                    certificates: body.certificates,
                    refuse_expired_certificates: body.refuse_expired_certificates,
                    metadata_url: body.metadata_url,
                    sign_requests: body.sign_requests,
                    allow_sha1: body.allow_sha1,
                    allow_idp_initiated: body.allow_idp_initiated,
                    clock_skew_seconds: body.clock_skew_seconds,
                    probe_login_url: body.probe_login_url,
                    name_id_format: body.name_id_format,
                    force_authn: body.force_authn,
                    requested_authn_context: body.requested_authn_context,
                    username_source: body.username_source,
                    username_attributes: body.username_attributes,
                    provisioning: body.provisioning,
                    email_domains: body.email_domains,
                    default_roles: body.default_roles,
                    role_mappings: body.role_mappings,
                    button_text: body.button_text,
                }
            }
        }
    };
}

settings_body! {
    /// Changes to a connection. A setting that is left out stays; null removes an optional one.
    UpdateSamlConnection {}
}

settings_body! {
    /// Settings of a connection to create. Each that is left out has its default.
    CreateSamlConnection {
        /// Portal of the connection; each portal has one at most.
        #[schema(value_type = PortalName)]
        pub portal: Portal,
    }
}
