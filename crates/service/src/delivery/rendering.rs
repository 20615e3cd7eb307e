//! Makes a mail of a message: which values its template may use, and how they are worded.

use std::collections::BTreeMap;

use domain::branding::{ACCENT_COLOR_DEFAULT, AccentColor, BrandingSettings, LogoUrl};
use domain::language::Language;
use domain::mail::{MailKind, MailMessage};
use domain::role::Role;
use domain::text::Label;
use jiff::{SignedDuration, Timestamp};
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::templates::{MailTemplates, TemplateError, Text};

/// Most characters of a subject that mail programs show at all.
const SUBJECT_MAX_CHARS: usize = 200;
/// Minutes from which on a time is told in hours, and hours from which on it is told in days.
const MINUTES_TOLD: i64 = 120;
const HOURS_TOLD: i64 = 72;

/// Name and branding that a mail is written with.
pub struct Look<'a> {
    /// The account's display name; the operator's sender name for what concerns no account.
    pub account: &'a str,
    /// Branding that the account chose.
    pub branding: &'a BrandingSettings,
}

/// The parts of a mail.
pub struct Rendered {
    /// Subject of the mail, on one line.
    pub subject: String,
    /// Part as plain text.
    pub text: String,
    /// Part as HTML text.
    pub html: String,
}

#[derive(Serialize)]
struct Brand<'a> {
    name: &'a str,
    logo_url: Option<&'a str>,
    accent_color: &'a str,
    support_contact: Option<&'a str>,
}

impl Look<'_> {
    /// Name that the mails speak of; the account's unless its branding has one.
    pub fn brand_name(&self) -> &str {
        self.branding.brand_name.as_ref().map_or(self.account, Label::as_str)
    }

    /// The name beside the sender's address.
    pub fn sender_name(&self) -> &str {
        self.branding.sender_name.as_ref().map_or(self.brand_name(), Label::as_str)
    }

    fn brand(&self) -> Brand<'_> {
        Brand {
            name: self.brand_name(),
            logo_url: self.branding.logo_url.as_ref().map(LogoUrl::as_str),
            accent_color: self.branding.accent_color.as_ref().map_or(ACCENT_COLOR_DEFAULT, AccentColor::as_str),
            support_contact: self.branding.support_contact.as_ref().map(Label::as_str),
        }
    }
}

/// Fills in the templates of a message that was written at this time.
pub fn render(
    templates: &MailTemplates,
    message: &MailMessage,
    language: Language,
    look: &Look<'_>,
    written_at: Timestamp,
) -> Result<Rendered, TemplateError> {
    let mut values = values(message, language, written_at);
    values.insert("language", language.as_str().into());
    values.insert("account", look.account.into());
    values.insert("brand", Value::from(Serde(look.brand())));
    let text_values = Value::from(Serde(&values));
    let Text { subject, text } = templates.text(message.kind(), language, &text_values)?;
    values.insert("subject", subject.clone().into());
    let html = templates.html(message.kind(), language, &Value::from(Serde(&values)))?;
    Ok(Rendered { subject, text, html })
}

fn values(message: &MailMessage, language: Language, written_at: Timestamp) -> BTreeMap<&'static str, Value> {
    let mut values = BTreeMap::new();
    if let Some(end) = message.expires_at() {
        values.insert("expires", time(end).into());
        values.insert("lifetime", lifetime(end.duration_since(written_at), language).into());
    }
    match message {
        MailMessage::Invitation { link, inviter, roles, .. } => {
            values.insert("link", link.into());
            values.insert("inviter", inviter.as_ref().map(Label::as_str).into());
            values.insert("roles", role_names(roles, language).into());
        }
        MailMessage::SsoInvitation { saml_login_url, inviter, roles, .. } => {
            values.insert("saml_login_url", saml_login_url.into());
            values.insert("inviter", inviter.as_ref().map(Label::as_str).into());
            values.insert("roles", role_names(roles, language).into());
        }
        MailMessage::SelfServiceInvitation { login_url, inviter, .. } => {
            values.insert("login_url", login_url.into());
            values.insert("inviter", inviter.as_ref().map(Label::as_str).into());
        }
        MailMessage::SsoRequired { saml_login_url } => {
            values.insert("saml_login_url", saml_login_url.into());
        }
        MailMessage::SsoEnded { login_url } => {
            values.insert("login_url", login_url.into());
        }
        MailMessage::TemporaryPassword { login_url, username, password, .. } => {
            values.insert("login_url", login_url.into());
            values.insert("username", username.into());
            values.insert("password", password.into());
        }
        MailMessage::PasswordReset { username, link, .. } => {
            values.insert("username", username.into());
            values.insert("link", link.into());
        }
        MailMessage::FirstOwnerInvitation { link, .. } | MailMessage::MagicLink { link, .. } => {
            values.insert("link", link.into());
        }
        MailMessage::MfaCode { code, .. } => {
            values.insert("code", code.into());
        }
        MailMessage::PasswordChanged { changed_at } => {
            values.insert("changed", time(*changed_at).into());
        }
        MailMessage::AddressChanged { username, changed_at } => {
            values.insert("username", username.into());
            values.insert("changed", time(*changed_at).into());
        }
        MailMessage::BreakGlassUsed { username, used_at, client_address } => {
            values.insert("username", username.into());
            values.insert("used", time(*used_at).into());
            values.insert("client_address", client_address.into());
        }
        MailMessage::BreakGlassDrill { drilled_at } => {
            values.insert("drilled", time(*drilled_at).into());
        }
        MailMessage::UsersPaired { username, other_account, other_username, paired_at, client_address } => {
            values.insert("username", username.into());
            values.insert("other_account", other_account.into());
            values.insert("other_username", other_username.into());
            values.insert("paired", time(*paired_at).into());
            values.insert("client_address", client_address.into());
        }
        MailMessage::Test => {}
    }
    values
}

/// Writes a time as both languages do, in UTC: the reader's time zone is not known.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn lifetime(left: SignedDuration, language: Language) -> String {
    let (minutes, hours) = (left.as_mins().max(1), left.as_hours());
    let (number, english, swedish) = match (minutes, hours) {
        (..MINUTES_TOLD, _) => (minutes, ("minute", "minutes"), ("minut", "minuter")),
        (_, ..HOURS_TOLD) => (hours, ("hour", "hours"), ("timme", "timmar")),
        _ => (hours / 24, ("day", "days"), ("dag", "dagar")),
    };
    let (one, many) = match language {
        Language::English => english,
        Language::Swedish => swedish,
    };
    format!("{number} {}", if number == 1 { one } else { many })
}

fn role_names(roles: &[Role], language: Language) -> Vec<&'static str> {
    roles.iter().map(|role| role_name(*role, language)).collect()
}

const fn role_name(role: Role, language: Language) -> &'static str {
    match (role, language) {
        (Role::OrganizationOwner, Language::English) => "owner",
        (Role::OrganizationOwner, Language::Swedish) => "ägare",
        (Role::OrganizationContextManager, Language::English) => "context manager",
        (Role::OrganizationContextManager, Language::Swedish) => "kontextansvarig",
        (Role::OrganizationMember, Language::English) => "member",
        (Role::OrganizationMember, Language::Swedish) => "medlem",
    }
}

/// A subject: a header has one line, whatever the values were.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT_MAX_CHARS).collect()
}

/// Fills in every template with an example.
pub(super) fn try_all(templates: &MailTemplates) -> Result<(), TemplateError> {
    let branding = BrandingSettings::default();
    let look = Look { account: "Example", branding: &branding };
    for language in Language::ALL {
        for kind in MailKind::ALL {
            render(templates, &example(*kind), *language, &look, Timestamp::UNIX_EPOCH)?;
        }
    }
    Ok(())
}

/// A mail of this kind, as templates are tried with.
fn example(kind: MailKind) -> MailMessage {
    let link = "https://app.example.com/page#token=example".to_owned();
    let expires_at = Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::from_mins(10)).unwrap_or_default();
    match kind {
        MailKind::Invitation => {
            MailMessage::Invitation { link, expires_at, inviter: None, roles: vec![Role::OrganizationMember] }
        }
        MailKind::FirstOwnerInvitation => MailMessage::FirstOwnerInvitation { link, expires_at },
        MailKind::SsoInvitation => {
            MailMessage::SsoInvitation { saml_login_url: link, expires_at, inviter: None, roles: vec![] }
        }
        MailKind::SelfServiceInvitation => {
            MailMessage::SelfServiceInvitation { login_url: link, expires_at, inviter: None }
        }
        MailKind::SsoRequired => MailMessage::SsoRequired { saml_login_url: link },
        MailKind::SsoEnded => MailMessage::SsoEnded { login_url: link },
        MailKind::TemporaryPassword => MailMessage::TemporaryPassword {
            login_url: link,
            username: "ann".to_owned(),
            password: "abcd-efgh-ijkl-mnop-qrst-uvwx".to_owned(),
            expires_at,
        },
        MailKind::PasswordReset => {
            MailMessage::PasswordReset { username: "ann@example.com".to_owned(), link, expires_at }
        }
        MailKind::PasswordChanged => MailMessage::PasswordChanged { changed_at: expires_at },
        MailKind::AddressChanged => {
            MailMessage::AddressChanged { username: "ann@example.com".to_owned(), changed_at: expires_at }
        }
        MailKind::MfaCode => MailMessage::MfaCode { code: "000000".to_owned(), expires_at },
        MailKind::MagicLink => MailMessage::MagicLink { link, expires_at },
        MailKind::BreakGlassUsed => MailMessage::BreakGlassUsed {
            username: "ann@example.com".to_owned(),
            used_at: expires_at,
            client_address: "192.0.2.1".to_owned(),
        },
        MailKind::BreakGlassDrill => MailMessage::BreakGlassDrill { drilled_at: expires_at },
        MailKind::UsersPaired => MailMessage::UsersPaired {
            username: "ann".to_owned(),
            other_account: "Example AB".to_owned(),
            other_username: "ann@example.com".to_owned(),
            paired_at: expires_at,
            client_address: "192.0.2.1".to_owned(),
        },
        MailKind::Test => MailMessage::Test,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(language: Language, part: impl Fn(Rendered) -> String) -> String {
        let templates = MailTemplates::new(BTreeMap::new()).unwrap();
        let branding = BrandingSettings {
            support_contact: Some(Label::parse("help@åkes.example").unwrap()),
            ..BrandingSettings::default()
        };
        let look = Look { account: "Åkes <Bil> & Co", branding: &branding };
        let rendered = |kind: &MailKind| {
            let written_at = Timestamp::UNIX_EPOCH;
            let parts = render(&templates, &example(*kind), language, &look, written_at).unwrap();
            format!("=== {}\n{}\n", kind.as_str(), part(parts))
        };
        MailKind::ALL.iter().map(rendered).collect()
    }

    /// Proves E2, E4: what each mail says, in each language.
    #[test]
    fn every_mail_says_what_it_should_in_every_language() {
        for language in Language::ALL {
            let texts = all(*language, |parts| format!("{}\n\n{}", parts.subject, parts.text));
            insta::assert_snapshot!(format!("text_{}", language.as_str()), texts);
            let html = all(*language, |parts| parts.html);
            insta::assert_snapshot!(format!("html_{}", language.as_str()), html);
            assert!(!html.contains("<Bil>"), "a value is not escaped");
        }
    }

    /// Proves E2: the documentation of templates lists every value of every mail. `VESTIBULE_UPDATE=1` writes it anew.
    #[test]
    fn the_documented_values_are_those_of_the_code() {
        const BEGIN: &str = "<!-- The values: written by ./dev generate. -->\n";
        const END: &str = "<!-- End of the values. -->\n";
        let row = |kind: &MailKind| {
            let names = values(&example(*kind), Language::English, Timestamp::UNIX_EPOCH);
            let names: Vec<String> = names.keys().map(|name| format!("`{name}`")).collect();
            format!("| `{}` | {} |\n", kind.as_str(), names.join(", "))
        };
        let head = "| mail | its values, beside those of all mails |\n| --- | --- |\n";
        let table: String = std::iter::once(head.to_owned()).chain(MailKind::ALL.iter().map(row)).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mail.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (written, after) = rest.split_once(END).unwrap();
        if std::env::var_os("VESTIBULE_UPDATE").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        } else {
            assert_eq!(written, table, "docs/mail.md is not up to date: run ./dev generate");
        }
    }

    /// Proves B2: a one-time code is in no subject, which mail servers log and locked screens show.
    #[test]
    fn a_subject_tells_no_secret() {
        for language in Language::ALL {
            let subjects = all(*language, |parts| parts.subject);
            assert!(!subjects.contains("000000") && !subjects.contains("token="), "{subjects}");
        }
    }

    /// Proves B2, B6, E1: lifetimes are told in the unit that people would use.
    #[test]
    fn a_lifetime_is_told_in_a_fitting_unit() {
        let told = |minutes: i64, language| lifetime(SignedDuration::from_mins(minutes), language);
        let table = [
            (0, "1 minute", "1 minut"),
            (5, "5 minutes", "5 minuter"),
            (120, "2 hours", "2 timmar"),
            (72 * 60, "3 days", "3 dagar"),
        ];
        for (minutes, english, swedish) in table {
            assert_eq!(told(minutes, Language::English), english);
            assert_eq!(told(minutes, Language::Swedish), swedish);
        }
    }
}
