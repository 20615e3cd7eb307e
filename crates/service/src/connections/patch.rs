//! Changing a connection's settings, field by field, with every wrong field named at once.

use std::fmt::Display;

use domain::application::is_loopback;
use domain::sso::connection::{
    CERTIFICATES_MAX, CLOCK_SKEW_SECONDS_MAX, ConnectionSettings, EMAIL_DOMAINS_MAX, PROTOCOL_VALUE_MAX_BYTES,
    PinnedCertificate, ROLE_MAPPINGS_MAX, USERNAME_ATTRIBUTES_MAX, UsernameSource,
};
use domain::sso::identity::NAME_ID_TRANSIENT;
use domain::text::Label;
use saml::{IdpCertificate, parse_pem_certificates};
use url::Url;

use crate::connections::Connections;
use crate::core::error::{Error, Result, Violation};
use crate::core::merge::MergePatch;

/// Collects what is wrong while the rest is looked at too.
struct Checker(Vec<Violation>);

impl Checker {
    fn refuse(&mut self, field: &str, detail: impl Display) {
        self.0.push(Violation { field: format!("/{field}"), detail: detail.to_string() });
    }

    fn at_most<T>(&mut self, field: &str, items: &[T], most: usize) {
        if items.len() > most {
            self.refuse(field, format_args!("must have at most {most} entries"));
        }
    }

    fn protocol_value(&mut self, field: &str, value: &str) {
        if value.is_empty() || value.len() > PROTOCOL_VALUE_MAX_BYTES || value.trim() != value {
            self.refuse(
                field,
                format_args!("must have 1 to {PROTOCOL_VALUE_MAX_BYTES} bytes, without white space around it"),
            );
        } else if value.chars().any(char::is_control) {
            self.refuse(field, "must not hold control characters");
        }
    }
}

impl Connections {
    /// The settings with the patch applied, or every field that is wrong then. Certificates come as PEM texts, each of
    /// which may hold several.
    pub(crate) fn patched(
        &self,
        before: &ConnectionSettings,
        mut patch: MergePatch<ConnectionSettings>,
    ) -> Result<ConnectionSettings> {
        let mut checker = Checker(vec![]);
        if let Some(texts) = patch.take::<Vec<String>>("certificates")? {
            patch.put("certificates", &pinned_certificates(&texts, &mut checker))?;
        }
        let settings = patch.applied_to(before)?;
        // What an older version stored stays; what is new is held to today's rule.
        if settings.button_text != before.button_text
            && let Err(error) = Label::parse(settings.button_text.as_str())
        {
            checker.refuse("button_text", error);
        }
        self.check(&settings, &mut checker);
        if checker.0.is_empty() { Ok(settings) } else { Err(Error::invalid_all(checker.0)) }
    }

    fn check(&self, settings: &ConnectionSettings, checker: &mut Checker) {
        for (field, url) in [("login_url", &settings.login_url), ("metadata_url", &settings.metadata_url)] {
            if let Some(url) = url {
                self.check_url(field, url, checker);
            }
        }
        let optional = [
            ("idp_entity_id", &settings.idp_entity_id),
            ("name_id_format", &settings.name_id_format),
            ("requested_authn_context", &settings.requested_authn_context),
        ];
        for (field, value) in optional {
            if let Some(value) = value {
                checker.protocol_value(field, value);
            }
        }
        if settings.username_source == UsernameSource::NameId
            && settings.name_id_format.as_deref() == Some(NAME_ID_TRANSIENT)
        {
            let detail =
                "must not be transient while username_source is name_id: such a NameID is another one each time";
            checker.refuse("name_id_format", detail);
        }
        for name in &settings.username_attributes {
            checker.protocol_value("username_attributes", name);
        }
        for value in settings.role_mappings.keys() {
            checker.protocol_value("role_mappings", value);
        }
        if settings.clock_skew_seconds > CLOCK_SKEW_SECONDS_MAX {
            checker.refuse("clock_skew_seconds", format_args!("must be 0 to {CLOCK_SKEW_SECONDS_MAX}"));
        }
        checker.at_most("certificates", &settings.certificates, CERTIFICATES_MAX);
        checker.at_most("username_attributes", &settings.username_attributes, USERNAME_ATTRIBUTES_MAX);
        checker.at_most("email_domains", &settings.email_domains, EMAIL_DOMAINS_MAX);
        if settings.role_mappings.len() > ROLE_MAPPINGS_MAX {
            checker.refuse("role_mappings", format_args!("must have at most {ROLE_MAPPINGS_MAX} entries"));
        }
    }

    /// Whether metadata may come from here, now and at each refresh.
    pub(super) fn check_metadata_url(&self, url: &Url) -> Result<()> {
        let mut checker = Checker(vec![]);
        self.check_url("metadata_url", url, &mut checker);
        if checker.0.is_empty() { Ok(()) } else { Err(Error::invalid_all(checker.0)) }
    }

    fn check_url(&self, field: &str, url: &Url, checker: &mut Checker) {
        let loopback = url.host().is_some_and(|host| is_loopback(&host));
        let secure = url.scheme() == "https" || (self.core.settings.development && url.scheme() == "http" && loopback);
        if !secure {
            checker.refuse(field, "must use https");
        } else if url.as_str().len() > PROTOCOL_VALUE_MAX_BYTES * 2 {
            checker.refuse(field, "is too long");
        } else if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            checker.refuse(field, "must not hold a user name, a password or a fragment");
        }
    }
}

fn pinned_certificates(texts: &[String], checker: &mut Checker) -> Vec<PinnedCertificate> {
    let mut pinned: Vec<PinnedCertificate> = vec![];
    for (index, text) in texts.iter().enumerate().take(CERTIFICATES_MAX + 1) {
        match parse_pem_certificates(text) {
            Ok(certificates) => pinned.extend(certificates.iter().map(pin)),
            Err(error) => checker.refuse(&format!("certificates/{index}"), error),
        }
    }
    without_repeats(pinned)
}

/// Each certificate once, in the order given.
pub(super) fn without_repeats(certificates: Vec<PinnedCertificate>) -> Vec<PinnedCertificate> {
    let mut seen = std::collections::BTreeSet::new();
    certificates.into_iter().filter(|pinned| seen.insert(pinned.sha256_fingerprint.clone())).collect()
}

/// Builds the record that is kept of a certificate that an administrator trusts.
pub(super) fn pin(certificate: &IdpCertificate) -> PinnedCertificate {
    PinnedCertificate {
        pem: certificate.to_pem(),
        sha256_fingerprint: certificate.sha256_fingerprint.clone(),
        subject: certificate.subject.clone(),
        key: certificate.key.to_string(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
    }
}
