//! Starts and stops the HTTP server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, FormConfig, PayloadConfig, route};
use actix_web::{App, HttpServer};
use tokio::task::JoinHandle;

use super::answer::{Answer, SignIn};
use super::fault::Faults;
use super::options::{Options, OptionsError};
use super::state::{AnswerError, Settings, State};
use super::user::{User, default_users};
use super::{authn_request, browser, control, metadata};
use crate::identity::{IdentityError, SigningIdentity};

/// Form bodies: a request of [`crate::message::parse::MAX_LENGTH`] in base64 and a RelayState.
const MAX_FORM_LENGTH: usize = 256 * 1024;
/// Control bodies: thousands of users, or users with thousands of roles.
const MAX_BODY_LENGTH: usize = 4 * 1024 * 1024;

/// The identity provider did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0} is not a loopback address; a mock identity provider lets anyone in and stays on this machine")]
    NotLoopback(SocketAddr),
    #[error("the address could not be bound")]
    Bind(#[from] io::Error),
    #[error("the signing key could not be made")]
    Identity(#[from] IdentityError),
    #[error("the options are unusable")]
    Options(#[from] OptionsError),
}

/// A mock identity provider about to start; see [`MockIdp::builder`].
pub struct MockIdp {
    address: SocketAddr,
    entity_id: Option<String>,
    identity: Option<SigningIdentity>,
    users: Vec<User>,
    options: Options,
}

impl MockIdp {
    /// Builds an identity provider on any free port of 127.0.0.1, with a new RSA key, [`default_users`] and
    /// [`Options::default`].
    pub fn builder() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            entity_id: None,
            identity: None,
            users: default_users(),
            options: Options::default(),
        }
    }

    /// The address to listen on; it must be a loopback one. Port 0 is any free port.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// The entity ID, instead of the metadata URL.
    #[must_use]
    pub fn entity_id(mut self, entity_id: impl Into<String>) -> Self {
        self.entity_id = Some(entity_id.into());
        self
    }

    /// The key to sign with. Generating one takes a tenth of a second, so suites share one.
    #[must_use]
    pub fn identity(mut self, identity: SigningIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The people who can sign in.
    #[must_use]
    pub fn users(mut self, users: Vec<User>) -> Self {
        self.users = users;
        self
    }

    /// Sets the options of its responses.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Binds, and serves in the background. Call it inside a tokio or actix runtime.
    pub async fn start(self) -> Result<RunningIdp, StartError> {
        if !self.address.ip().is_loopback() {
            return Err(StartError::NotLoopback(self.address));
        }
        self.options.check()?;
        let listener = TcpListener::bind(self.address)?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let entity_id = self.entity_id.unwrap_or_else(|| format!("{base_url}/metadata"));
        let identity = match self.identity {
            Some(identity) => identity,
            None => tokio::task::spawn_blocking(|| SigningIdentity::generate_rsa("Mock IdP"))
                .await
                .map_err(io::Error::other)??,
        };
        let settings = Settings::new(self.users, self.options);
        let state = Data::new(State::new(base_url, entity_id, identity, settings));
        let server = serve(listener, state.clone())?;
        let handle = server.handle();
        Ok(RunningIdp { state, handle, server: Some(tokio::spawn(server)) })
    }
}

fn serve(listener: TcpListener, state: Data<State>) -> io::Result<actix_web::dev::Server> {
    let application = move || {
        App::new()
            .app_data(state.clone())
            .app_data(FormConfig::default().limit(MAX_FORM_LENGTH))
            .app_data(PayloadConfig::new(MAX_BODY_LENGTH))
            .configure(browser::configure)
            .configure(control::configure)
            .default_service(route().to(browser::not_found))
    };
    let server = HttpServer::new(application).workers(1).disable_signals();
    Ok(server.listen(listener)?.run())
}

/// A running identity provider. Dropping it stops it, [`stop`](Self::stop) also waits until it has stopped.
pub struct RunningIdp {
    state: Data<State>,
    handle: ServerHandle,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl RunningIdp {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// The entity ID: what Issuers say.
    pub fn entity_id(&self) -> &str {
        &self.state.entity_id
    }

    /// The single sign-on URL, for both bindings.
    pub fn sso_url(&self) -> String {
        self.state.sso_url()
    }

    /// URL of the metadata document.
    pub fn metadata_url(&self) -> String {
        format!("{}/metadata", self.base_url())
    }

    /// Base URL of the control API.
    pub fn control_url(&self) -> String {
        format!("{}/control", self.base_url())
    }

    /// The metadata itself, for pasting instead of fetching.
    pub fn metadata_xml(&self) -> String {
        metadata::document(&self.state)
    }

    /// The signing certificate in PEM.
    pub fn certificate_pem(&self) -> &str {
        self.state.identity.certificate_pem()
    }

    /// The key that signs, for suites which build responses of their own.
    pub fn identity(&self) -> &SigningIdentity {
        &self.state.identity
    }

    /// Sets the faults of the responses to come, as `PUT /control/faults` does.
    pub fn set_faults(&self, faults: Faults) {
        self.state.settings().faults = faults;
    }

    /// Replaces all users, as `PUT /control/users` does.
    pub fn set_users(&self, users: Vec<User>) {
        self.state.settings().users = users;
    }

    /// Replaces the options, as `PUT /control/options` does.
    pub fn set_options(&self, options: Options) -> Result<(), OptionsError> {
        options.check()?;
        self.state.settings().options = options;
        Ok(())
    }

    /// Gives what the browser would post, for a user and a value of `SAMLRequest`, as `POST /control/respond` does.
    pub fn respond(
        &self,
        username: &str,
        saml_request: &str,
        relay_state: Option<&str>,
    ) -> Result<Answer, RespondError> {
        let request = authn_request::read_either(saml_request, &self.sso_url())?;
        let sign_in = self.state.sign_in(request, relay_state.map(str::to_owned))?;
        Ok(self.state.answer(&sign_in, &self.state.user(username)?, None)?)
    }

    /// Form that the browser would post in a sign-in that the identity provider begins.
    pub fn initiate(&self, username: &str, acs: &str, audience: &str) -> Result<Answer, RespondError> {
        let sign_in = self.state.checked(SignIn {
            request_id: None,
            audience: audience.to_owned(),
            acs: acs.to_owned(),
            relay_state: None,
        })?;
        Ok(self.state.answer(&sign_in, &self.state.user(username)?, None)?)
    }

    /// Stops, and waits until the port is free.
    pub async fn stop(mut self) {
        self.handle.stop(false).await;
        if let Some(server) = self.server.take() {
            // Its own outcome does not matter any more: nothing is served from here on.
            let _ = server.await;
        }
    }
}

impl Drop for RunningIdp {
    fn drop(&mut self) {
        // The command is sent when the future is made; nobody can wait for it here.
        drop(self.handle.stop(false));
    }
}

/// A response could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    #[error(transparent)]
    Request(#[from] authn_request::RequestError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
}
