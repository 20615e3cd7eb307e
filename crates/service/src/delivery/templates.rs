//! The templates of mails: those that come with Vestibule, and the operator's in their place.
//!
//! `LANGUAGE/KIND.txt` holds the subject in its first line, an empty line and the text part; `LANGUAGE/KIND.html` the
//! HTML part. All values are escaped in HTML, and a value that a mail does not have is an error, not an empty place.

use std::collections::BTreeMap;
use std::fmt;

use domain::language::Language;
use domain::mail::MailKind;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::rendering;

/// Most bytes of a template of the operator's: mail programs cut longer mails off.
pub const TEMPLATE_MAX_BYTES: usize = 100 * 1024;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every template there is.
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../templates/", $name)))),*];
    };
}

built_in!(
    "layout.html",
    "footer.txt",
    "en/invitation.txt",
    "en/invitation.html",
    "en/first_owner_invitation.txt",
    "en/first_owner_invitation.html",
    "en/self_service_invitation.txt",
    "en/self_service_invitation.html",
    "en/sso_invitation.txt",
    "en/sso_invitation.html",
    "en/sso_required.txt",
    "en/sso_required.html",
    "en/sso_ended.txt",
    "en/sso_ended.html",
    "en/temporary_password.txt",
    "en/temporary_password.html",
    "en/password_reset.txt",
    "en/password_reset.html",
    "en/password_changed.txt",
    "en/password_changed.html",
    "en/address_changed.txt",
    "en/address_changed.html",
    "en/mfa_code.txt",
    "en/mfa_code.html",
    "en/magic_link.txt",
    "en/magic_link.html",
    "en/break_glass_used.txt",
    "en/break_glass_used.html",
    "en/break_glass_drill.txt",
    "en/break_glass_drill.html",
    "en/users_paired.txt",
    "en/users_paired.html",
    "en/test.txt",
    "en/test.html",
    "sv/invitation.txt",
    "sv/invitation.html",
    "sv/first_owner_invitation.txt",
    "sv/first_owner_invitation.html",
    "sv/self_service_invitation.txt",
    "sv/self_service_invitation.html",
    "sv/sso_invitation.txt",
    "sv/sso_invitation.html",
    "sv/sso_required.txt",
    "sv/sso_required.html",
    "sv/sso_ended.txt",
    "sv/sso_ended.html",
    "sv/temporary_password.txt",
    "sv/temporary_password.html",
    "sv/password_reset.txt",
    "sv/password_reset.html",
    "sv/password_changed.txt",
    "sv/password_changed.html",
    "sv/address_changed.txt",
    "sv/address_changed.html",
    "sv/mfa_code.txt",
    "sv/mfa_code.html",
    "sv/magic_link.txt",
    "sv/magic_link.html",
    "sv/break_glass_used.txt",
    "sv/break_glass_used.html",
    "sv/break_glass_drill.txt",
    "sv/break_glass_drill.html",
    "sv/users_paired.txt",
    "sv/users_paired.html",
    "sv/test.txt",
    "sv/test.html",
);

/// Reasons for which templates are refused.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// File whose name is not that of a template.
    #[error("{0} is the name of no template; the names are {names}", names = names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// File of more than [`TEMPLATE_MAX_BYTES`].
    #[error("{0} has more than {TEMPLATE_MAX_BYTES} bytes")]
    TooLarge(String),
    /// Template that cannot be read, or not be filled in.
    #[error("{name} cannot be used: {problem}")]
    Unusable {
        /// Name of the template's file.
        name: String,
        /// Description of what is wrong, with the line.
        problem: String,
    },
}

/// Every template, ready to be filled in.
pub struct MailTemplates(Environment<'static>);

impl MailTemplates {
    /// Loads the templates that come with Vestibule, and these in the place of those of the same name. Each is
    /// filled in once, for every kind of mail, so that a mistake shows now and not when a user waits for a mail.
    pub fn new(replacements: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|name| {
            if name.strip_suffix(".html").is_some() { AutoEscape::Html } else { AutoEscape::None }
        });
        for (name, text) in BUILT_IN {
            add(&mut environment, name, (*text).to_owned())?;
        }
        for (name, text) in replacements {
            if !names().any(|known| known == name) {
                return Err(TemplateError::Unknown(name));
            }
            if text.len() > TEMPLATE_MAX_BYTES {
                return Err(TemplateError::TooLarge(name));
            }
            add(&mut environment, &name, text)?;
        }
        let templates = Self(environment);
        rendering::try_all(&templates)?;
        Ok(templates)
    }

    /// Fills in the text part's template: subject and text.
    pub(super) fn text(&self, kind: MailKind, language: Language, values: &Value) -> Result<Text, TemplateError> {
        let name = format!("{}/{}.txt", language.as_str(), kind.as_str());
        let filled = self.filled(&name, values)?;
        let (subject, text) = filled.split_once('\n').unwrap_or((&filled, ""));
        let subject = subject.trim();
        if subject.is_empty() {
            return Err(TemplateError::Unusable { name, problem: "the first line, the subject, is empty".into() });
        }
        Ok(Text { subject: rendering::one_line(subject), text: text.trim_start_matches(['\r', '\n']).to_owned() })
    }

    /// Fills in the HTML part's template.
    pub(super) fn html(&self, kind: MailKind, language: Language, values: &Value) -> Result<String, TemplateError> {
        self.filled(&format!("{}/{}.html", language.as_str(), kind.as_str()), values)
    }

    fn filled(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        let filled = self.0.get_template(name).and_then(|template| template.render(values));
        filled.map_err(|error| unusable(name, &error))
    }
}

impl fmt::Debug for MailTemplates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailTemplates(…)")
    }
}

/// Subject and text part of a mail.
pub(super) struct Text {
    pub subject: String,
    pub text: String,
}

fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

fn add(environment: &mut Environment<'static>, name: &str, text: String) -> Result<(), TemplateError> {
    environment.add_template_owned(name.to_owned(), text).map_err(|error| unusable(name, &error))
}

fn unusable(name: &str, error: &minijinja::Error) -> TemplateError {
    TemplateError::Unusable { name: name.to_owned(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, text: &str) -> String {
        MailTemplates::new(BTreeMap::from([(name.to_owned(), text.to_owned())])).unwrap_err().to_string()
    }

    /// Proves E4: a template that cannot work is refused at the start, with its name and what is wrong.
    #[test]
    fn a_template_that_cannot_work_is_refused() {
        assert!(
            refused("en/invite.txt", "x").starts_with("en/invite.txt is the name of no template; the names are layout")
        );
        let table = [
            ("en/test.txt", "{{ brand.name", "syntax error"),
            ("sv/mfa_code.txt", "Kod\n\n{{ link }}", "undefined value"),
            ("en/test.txt", "{% if false %}{% endif %}\n\nText", "the first line, the subject, is empty"),
            ("layout.html", "{% include \"/etc/passwd\" %}", "template not found"),
        ];
        for (name, text, wanted) in table {
            let found = refused(name, text);
            assert!(found.contains("cannot be used") && found.contains(wanted), "{found}");
        }
        assert!(refused("layout.html", &"x".repeat(TEMPLATE_MAX_BYTES + 1)).contains("has more than 102400 bytes"));
    }

    /// Proves E4: a template of the operator's takes the place of ours, in its language alone.
    #[test]
    fn a_template_replaces_the_one_of_its_name() {
        let mine = BTreeMap::from([("en/test.txt".to_owned(), "Hello\n\nfrom {{ account }}".to_owned())]);
        let templates = MailTemplates::new(mine).unwrap();
        let values =
            minijinja::context! { account => "A<B", brand => minijinja::context! { name => "B" }, language => "sv" };
        let text = |language| templates.text(MailKind::Test, language, &values).unwrap();
        assert_eq!(
            (text(Language::English).subject.as_str(), text(Language::English).text.as_str()),
            ("Hello", "from A<B")
        );
        assert_eq!(text(Language::Swedish).subject, "Ett testmejl från B");
    }
}
