//! The mail server and the templates, as configured.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::application::is_loopback;
use domain::text::Label;
use secrecy::SecretString;
use service::{MailTemplates, TEMPLATE_MAX_BYTES};
use url::Host;

use super::Loaded;
use super::problem::Problem;
use crate::adapters::mail::{Security, SmtpSettings};

/// Sender's name if none is configured.
const DEFAULT_SENDER_NAME: &str = "Vestibule";

impl Loaded {
    /// Settings of the mail server; `None` if none is configured.
    pub fn mail(&self, development: bool) -> Result<Option<SmtpSettings>, Problem> {
        let mail = &self.values.mail;
        let Some(host) = mail.host.clone() else { return self.refuse_headless_mail().map(|()| None) };
        let Some(from) = mail.from.clone() else {
            let fix = "set it to the address that mails come from, such as no-reply@example.com";
            return Err(self.problem("mail.from", "it is missing", fix));
        };
        if mail.security == Security::None && !development && !is_this_machine(&host) {
            let fix = "set it to \"starttls\" or \"tls\"; mails hold secrets, and so may the way there";
            return Err(self.problem("mail.security", "mail would travel in clear", fix));
        }
        let base_url = self.base_url(development)?;
        Ok(Some(SmtpSettings {
            host,
            port: mail.port.map_or(default_port(mail.security), NonZeroU16::get),
            security: mail.security,
            credentials: self.mail_credentials()?,
            ca_pem: self.mail_certificates()?,
            from,
            hello_name: base_url.host_str().unwrap_or("localhost").to_owned(),
            timeout: self.mail_timeout(),
        }))
    }

    /// The sender's name in mails that concern no account.
    pub fn mail_sender_name(&self) -> &str {
        self.values.mail.sender_name.as_ref().map_or(DEFAULT_SENDER_NAME, Label::as_str)
    }

    /// Time limit for sending one mail.
    pub fn mail_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.values.mail.timeout_seconds.get()))
    }

    /// The templates, the operator's in the place of those of the same name.
    pub fn mail_templates(&self) -> Result<MailTemplates, Problem> {
        const KEY: &str = "mail.templates";
        let fix = "correct the file, or remove it to have the template that comes with Vestibule";
        let replacements = match &self.values.mail.templates {
            Some(folder) => templates_in(folder).map_err(|error| {
                self.problem(KEY, format!("{} cannot be read: {error}", folder.display()), "name a readable folder")
            })?,
            None => BTreeMap::new(),
        };
        MailTemplates::new(replacements).map_err(|error| self.problem(KEY, error.to_string(), fix))
    }

    /// Settings of a mail server that is not named: a mistyped `mail.host` should not go unnoticed.
    fn refuse_headless_mail(&self) -> Result<(), Problem> {
        let mail = &self.values.mail;
        let is_meant = mail.from.is_some() || mail.username.is_some() || mail.password_file.is_some();
        if !is_meant {
            return Ok(());
        }
        let fix = "set it to the name of the mail server, such as smtp.example.com, or leave all of mail out";
        Err(self.problem("mail.host", "it is missing", fix))
    }

    fn mail_credentials(&self) -> Result<Option<(String, SecretString)>, Problem> {
        let mail = &self.values.mail;
        match (&mail.username, &mail.password_file) {
            (None, None) => Ok(None),
            (Some(username), Some(path)) => Ok(Some((username.clone(), self.secret_in("mail.password_file", path)?))),
            (Some(_), None) => {
                let fix = "name a file that holds the password of mail.username";
                Err(self.problem("mail.password_file", "it is missing", fix))
            }
            (None, Some(_)) => {
                let fix = "set it to the user name that the password belongs to";
                Err(self.problem("mail.username", "it is missing", fix))
            }
        }
    }

    fn mail_certificates(&self) -> Result<Option<Vec<u8>>, Problem> {
        let Some(path) = &self.values.mail.ca_file else { return Ok(None) };
        let read = fs::read(path).map_err(|error| {
            let what = format!("{} cannot be read: {error}", path.display());
            self.problem("mail.ca_file", what, "name a file that this user can read")
        });
        read.map(Some)
    }
}

const fn default_port(security: Security) -> u16 {
    match security {
        Security::StartTls => 587,
        Security::Tls => 465,
        Security::None => 25,
    }
}

fn is_this_machine(host: &str) -> bool {
    Host::parse(host).is_ok_and(|host| match host {
        Host::Domain(name) => is_loopback(&Host::Domain(name.as_str())),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}

/// Every file of a folder and of its folders, by its name within it; hidden ones are an editor's business.
fn templates_in(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in entries(folder)? {
        if entry.path.is_dir() {
            for inner in entries(&entry.path)? {
                found.insert(format!("{}/{}", entry.name, inner.name), template(&inner.path)?);
            }
        } else {
            let text = template(&entry.path)?;
            found.insert(entry.name, text);
        }
    }
    Ok(found)
}

struct Entry {
    name: String,
    path: PathBuf,
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut found = vec![];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push(Entry { name, path: entry.path() });
        }
    }
    Ok(found)
}

/// A template's text; one that is too large is read no further than needed to refuse it.
fn template(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(TEMPLATE_MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}
