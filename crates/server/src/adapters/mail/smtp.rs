//! SMTP (RFC 5321): one connection, kept while there are mails to send.

mod message;
mod reply;

use std::time::Duration;

use async_trait::async_trait;
use domain::email::Email;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use service::ports::{Delivery, Mailer, RenderedMail};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use reply::{Stage, delivery, unavailable, words};

/// Time limit for `QUIT`; nothing depends on its outcome.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Protection of the connection to the mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in clear, then uses TLS, or does not go on (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// No encryption at all.
    None,
}

/// Settings of the connection to the mail server.
pub struct SmtpSettings {
    /// Name of the server, which its certificate must carry.
    pub host: String,
    /// The mail server's TCP port.
    pub port: u16,
    /// Protection of the connection by TLS.
    pub security: Security,
    /// User name and password.
    pub credentials: Option<(String, SecretString)>,
    /// The only certificates to trust, in PEM; the system's otherwise.
    pub ca_pem: Option<Vec<u8>>,
    /// Email address of the sender.
    pub from: Email,
    /// The name that this client sends in `EHLO`.
    pub hello_name: String,
    /// Time limit for one mail, from connecting to the last reply.
    pub timeout: Duration,
}

/// Reasons why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    /// The file of certificates.
    #[error("mail.ca_file holds no certificate in PEM")]
    Certificates,
    /// The sender's address cannot be used.
    #[error("mail.from is not an address that mail can be sent from")]
    From,
    /// TLS as a whole.
    #[error("TLS for mail cannot be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Sends mails to one mail server over SMTP.
pub struct SmtpMailer {
    settings: SmtpSettings,
    from: Address,
    hello: ClientId,
    tls: TlsParameters,
    connection: Mutex<Option<AsyncSmtpConnection>>,
}

impl SmtpMailer {
    /// Prepares to send; connects when there is something to send.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpSetupError> {
        Ok(Self {
            from: settings.from.as_str().parse().map_err(|_| SmtpSetupError::From)?,
            hello: ClientId::Domain(settings.hello_name.clone()),
            tls: tls(&settings)?,
            connection: Mutex::default(),
            settings,
        })
    }

    /// Connects and signs in, as before a mail, and says in words what was found.
    pub async fn check(&self) -> Result<String, String> {
        let within = self.settings.timeout;
        let opened = timeout(within, self.open()).await.map_err(|_| self.no_answer())?;
        let mut connection = opened?;
        let protection = if connection.is_encrypted() { "TLS" } else { "no encryption" };
        let sign_in = if self.settings.credentials.is_some() { "signed in" } else { "without signing in" };
        quit(&mut connection).await;
        Ok(format!("{}:{} takes mail, {protection}, {sign_in}", self.settings.host, self.settings.port))
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, String> {
        let SmtpSettings { host, port, security, credentials, timeout, .. } = &self.settings;
        let from_the_first = (*security == Security::Tls).then(|| self.tls.clone());
        let connected = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(*timeout),
            &self.hello,
            from_the_first,
            None,
        );
        let mut connection =
            connected.await.map_err(|error| format!("{host}:{port} cannot be connected to: {}", words(&error)))?;
        if *security == Security::StartTls {
            if !connection.can_starttls() {
                return Err(format!("{host}:{port} offers no STARTTLS; set mail.security to what it offers"));
            }
            let upgraded = connection.starttls(self.tls.clone(), &self.hello).await;
            upgraded.map_err(|error| format!("TLS with {host}:{port} failed: {}", words(&error)))?;
        }
        if let Some((username, password)) = credentials {
            let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
            let signed_in = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
            signed_in.map_err(|error| format!("{host}:{port} does not let {username} in: {}", words(&error)))?;
        }
        Ok(connection)
    }

    /// Sends over the kept connection, or a new one; keeps it if it is fit for the next mail.
    async fn send_until(&self, deadline: Instant, letter: &Letter<'_>) -> Delivery {
        let mut kept = self.connection.lock().await;
        let begun = timeout_at(deadline, self.begin(kept.take(), letter)).await;
        let mut connection = match begun.unwrap_or_else(|_| Err(unavailable(self.no_answer()))) {
            Ok(connection) => connection,
            Err(delivery) => return delivery,
        };
        let finished = timeout_at(deadline, finish(&mut connection, letter)).await;
        let Ok(delivery) = finished else { return Delivery::Deferred(self.no_answer()) };
        let is_fit = match delivery {
            Delivery::Delivered => true,
            _ => matches!(timeout_at(deadline, connection.command(Rset)).await, Ok(Ok(_))),
        };
        if is_fit {
            *kept = Some(connection);
        }
        delivery
    }

    /// A connection whose server has taken the sender of this mail. One that was kept may have been closed
    /// meanwhile, and is replaced.
    async fn begin(
        &self,
        kept: Option<AsyncSmtpConnection>,
        letter: &Letter<'_>,
    ) -> Result<AsyncSmtpConnection, Delivery> {
        if let Some(mut connection) = kept {
            match self.offer(&mut connection, letter).await {
                Ok(()) => return Ok(connection),
                Err((stage, error)) if error.status().is_some() => return Err(delivery(stage, &error)),
                Err(_) => {}
            }
        }
        let mut connection = self.open().await.map_err(unavailable)?;
        self.offer(&mut connection, letter).await.map_err(|(stage, error)| delivery(stage, &error))?;
        Ok(connection)
    }

    /// Says who sends, and that the address is not ASCII where it is not.
    async fn offer(&self, connection: &mut AsyncSmtpConnection, letter: &Letter<'_>) -> Result<(), Failure> {
        let is_ascii = [letter.to, &self.from].iter().all(|address| AsRef::<str>::as_ref(address).is_ascii());
        let takes_utf8 = connection.server_info().supports_feature(Extension::SmtpUtfEight);
        let (stage, parameters) = if !is_ascii && takes_utf8 {
            (Stage::Parameters, vec![MailParameter::SmtpUtfEight])
        } else {
            (Stage::Sender, vec![])
        };
        let taken = connection.command(Mail::new(Some(self.from.clone()), parameters)).await;
        taken.map(drop).map_err(|error| (stage, error))
    }

    fn no_answer(&self) -> String {
        let SmtpSettings { host, port, timeout, .. } = &self.settings;
        format!("{host}:{port} does not answer within {} s", timeout.as_secs())
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &RenderedMail) -> Delivery {
        let Ok(to) = mail.to.deliverable().parse::<Address>() else {
            return Delivery::Rejected("the address cannot be written in an SMTP command".into());
        };
        let message = match message::content(mail, &self.from, &to) {
            Ok(message) => message,
            Err(error) => return Delivery::Rejected(format!("the mail cannot be encoded: {error}")),
        };
        let deadline = Instant::now() + self.settings.timeout;
        self.send_until(deadline, &Letter { to: &to, message: &message }).await
    }

    async fn rest(&self) {
        if let Some(mut connection) = self.connection.lock().await.take() {
            quit(&mut connection).await;
        }
    }
}

/// A mail as it goes over the wire.
struct Letter<'a> {
    to: &'a Address,
    message: &'a str,
}

/// The stage at which the server refused, and its error.
type Failure = (Stage, lettre::transport::smtp::Error);

/// Sends the rest of a mail whose sender was taken.
async fn finish(connection: &mut AsyncSmtpConnection, letter: &Letter<'_>) -> Delivery {
    match transfer(connection, letter).await {
        Ok(()) => Delivery::Delivered,
        Err((stage, error)) => delivery(stage, &error),
    }
}

async fn transfer(connection: &mut AsyncSmtpConnection, letter: &Letter<'_>) -> Result<(), Failure> {
    let at = |stage: Stage| move |error| (stage, error);
    connection.command(Rcpt::new(letter.to.clone(), vec![])).await.map_err(at(Stage::Recipient))?;
    connection.command(Data).await.map_err(at(Stage::Content))?;
    connection.command(letter.message).await.map_err(at(Stage::Content))?;
    Ok(())
}

async fn quit(connection: &mut AsyncSmtpConnection) {
    // Whoever does not say goodbye is left without one.
    let _outcome = timeout(QUIT_TIMEOUT, connection.quit()).await;
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, SmtpSetupError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.ca_pem {
        let certificate = Certificate::from_pem(pem).map_err(|_| SmtpSetupError::Certificates)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(SmtpSetupError::Tls)
}
