//! Makes the response for a user, with the options and faults of the moment.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::fault::{AttributeNames, Fault, fail};
use super::options::{EncryptionOptions, NameIdForm, Options};
use super::user::User;
use crate::ambient;
use crate::certificate::Certificate;
use crate::identity::SigningIdentity;
use crate::message::{
    BuildError, DateTime, DigestAlgorithm, Encryption, NAME_ID_EMAIL, NAME_ID_PERSISTENT, NAME_ID_TRANSIENT,
    NAME_ID_UNSPECIFIED, NameId, Parties, ResponseSpec, form_value,
};

const DISPLAY_NAME_ATTRIBUTE: &str = "http://schemas.microsoft.com/identity/claims/displayname";

/// A sign-in under way: the request and service provider that the answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// `None` when the identity provider starts it.
    pub request_id: Option<String>,
    /// The service provider's entity ID.
    pub audience: String,
    pub acs: String,
    pub relay_state: Option<String>,
}

/// A form for the browser to post to the service provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Assertion consumer service URL that the form is posted to.
    pub action: String,
    /// The form value, in base64.
    #[serde(rename = "SAMLResponse")]
    pub saml_response: String,
    #[serde(rename = "RelayState")]
    pub relay_state: Option<String>,
}

/// The keys and settings of one answer.
pub(super) struct Answering<'a> {
    pub entity_id: &'a str,
    pub identity: &'a SigningIdentity,
    pub options: &'a Options,
    pub faults: &'a [Fault],
    pub now: Timestamp,
}

impl Answering<'_> {
    /// The response in XML, for the user who signed in.
    pub fn response(&self, sign_in: &SignIn, user: &User) -> Result<String, BuildError> {
        let mut spec = self.spec(sign_in, user)?;
        let names = AttributeNames {
            username: self.options.username_attribute.as_deref(),
            role: self.options.role_attribute.as_deref(),
        };
        for fault in self.faults {
            fault.apply(&mut spec, user, &names);
        }
        let xml = spec.build(self.identity)?;
        if self.faults.contains(&Fault::AlteredAfterSigning) {
            return Ok(altered(&xml, user));
        }
        Ok(xml)
    }

    /// The response in XML for a sign-in that failed.
    pub fn failure(&self, sign_in: &SignIn, second_level: &str) -> Result<String, BuildError> {
        let mut spec = self.spec(sign_in, &User::default())?;
        fail(&mut spec, second_level);
        spec.build(self.identity)
    }

    fn spec(&self, sign_in: &SignIn, user: &User) -> Result<ResponseSpec, BuildError> {
        let options = self.options;
        let unique = ambient::identifier();
        let parties = Parties { issuer: self.entity_id, audience: &sign_in.audience, acs: &sign_in.acs };
        let now = Fault::skewed(self.faults, self.now);
        let mut spec = ResponseSpec::new(parties, now, &unique).named(&user.email, NAME_ID_EMAIL);
        if let Some(request) = &sign_in.request_id {
            spec = spec.to_request(request);
        }
        spec.not_on_or_after = after(now, options.assertion_lifetime_seconds);
        spec.confirmation_not_on_or_after.clone_from(&spec.not_on_or_after);
        spec = with_attributes(spec, options, user).as_sent_by(options.shape, &unique);
        if let Some(parts) = options.signed {
            spec.signing.parts = parts;
        }
        spec.signing.algorithm = options.signature_algorithm;
        spec.signing.digest = options.digest_algorithm;
        if let Some(form) = options.name_id {
            spec.name_id = name_id(form, user, &sign_in.audience, &unique);
        }
        if let Some(seconds) = options.session_lifetime_seconds {
            spec.session_not_on_or_after = after(now, seconds);
        }
        spec.encryption = options.encryption.as_ref().map(encryption).transpose()?;
        Ok(spec)
    }
}

/// Changes what was signed: the user, or the cipher text that hides them.
fn altered(xml: &str, user: &User) -> String {
    let altered = xml.replace(&user.email, &format!("altered-{}", user.email));
    if altered == xml {
        return xml.replacen("CipherValue>", "CipherValue>AAAA", 1);
    }
    altered
}

/// The form to post, for a response in XML.
pub(super) fn form(sign_in: &SignIn, xml: &str) -> Answer {
    Answer { action: sign_in.acs.clone(), saml_response: form_value(xml), relay_state: sign_in.relay_state.clone() }
}

fn with_attributes(mut spec: ResponseSpec, options: &Options, user: &User) -> ResponseSpec {
    if let Some(name) = &options.username_attribute {
        spec = spec.attribute(name, [user.email.as_str()]);
    }
    if let Some(name) = options.role_attribute.as_ref().filter(|_| !user.roles.is_empty()) {
        spec = spec.attribute(name, user.roles.iter().cloned());
    }
    if !user.display_name.is_empty() {
        spec = spec.attribute(DISPLAY_NAME_ATTRIBUTE, [user.display_name.as_str()]);
    }
    for (name, values) in &user.attributes {
        spec = spec.attribute(name, values.iter().cloned());
    }
    spec
}

fn name_id(form: NameIdForm, user: &User, audience: &str, unique: &str) -> Option<NameId> {
    let (value, format) = match form {
        NameIdForm::None => return None,
        NameIdForm::Email => (user.email.clone(), NAME_ID_EMAIL),
        NameIdForm::Unspecified => (user.email.clone(), NAME_ID_UNSPECIFIED),
        NameIdForm::Transient => (format!("_{unique}"), NAME_ID_TRANSIENT),
        NameIdForm::Persistent => {
            let pair = format!("{audience}\n{}", user.username);
            let digest = DigestAlgorithm::Sha256.digest(pair.as_bytes());
            (ambient::hexadecimal(digest.as_ref()), NAME_ID_PERSISTENT)
        }
    };
    Some(NameId { value, format: Some(format.to_owned()) })
}

fn encryption(options: &EncryptionOptions) -> Result<Encryption, BuildError> {
    let recipient = Certificate::from_pem(&options.certificate_pem).map_err(|_| BuildError::Encryption)?;
    Ok(Encryption {
        content: options.content,
        key_transport: options.key_transport,
        ..Encryption::new(recipient, ambient::random())
    })
}

fn after(now: Timestamp, seconds: i64) -> Option<DateTime> {
    let time = now.saturating_add(SignedDuration::from_secs(seconds));
    time.ok().map(DateTime::from)
}
