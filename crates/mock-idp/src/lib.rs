//! A small SAML 2.0 identity provider for demos and test suites.
//!
//! # What it is for
//! It stands for the identity provider of a customer: it shows a login form, knows a few test users with attributes and
//! roles, and posts signed responses. It can do so in the style of twelve real products ([`message::Shape`]), encrypted
//! or not, and it can be wrong on request ([`idp::Fault`]). Underneath is a pure builder of responses
//! ([`message`]) which suites and benchmarks use without any HTTP, and a collection of hostile documents
//! ([`tamper`]).
//!
//! # What it does not know
//! Nothing of Vestibule: it depends on no crate of this workspace and reads no database. It keeps no secrets, has no
//! sessions, and listens on loopback only, so it must not be taken for an identity provider of anything real.
//!
//! # How to add one more
//! - a product's style: [`message::Shape`] and its profile;
//! - a mistake: [`idp::Fault`];
//! - an attack: a line in one of the tables of [`tamper`];
//! - an option: [`idp::Options`], read in `idp/answer.rs`.
//!
//! # In a frontend team's own test suite
//! Start it beside the service, in the suite's own process:
//!
//! ```
//! use mock_idp::MockIdp;
//! use mock_idp::idp::{Fault, Faults};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let idp = MockIdp::builder().start().await?;
//! // Configure the service with these, or with `idp.metadata_xml()`:
//! let (metadata_url, entity_id) = (idp.metadata_url(), idp.entity_id());
//! # assert!(metadata_url.ends_with("/metadata") && entity_id.starts_with("http://127.0.0.1:"));
//! // What the browser would post to the service, without a browser; `respond` does so for the service's own request.
//! let acs = "http://127.0.0.1:8080/saml/0a1b2c";
//! let answer = idp.initiate("alice@example.test", acs, acs)?;
//! assert_eq!(answer.action, acs);
//! // The next response will have expired, as the page under test must explain.
//! idp.set_faults(Faults { next: vec![Fault::Expired], ..Faults::default() });
//! idp.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Or start the program, from any language. It prints one line of JSON when it is ready:
//!
//! ```text
//! $ mock-idp --port 0
//! {"base_url":"http://127.0.0.1:40123","metadata_url":"http://127.0.0.1:40123/metadata",
//!  "entity_id":"http://127.0.0.1:40123/metadata","sso_url":"http://127.0.0.1:40123/sso",
//!  "control_url":"http://127.0.0.1:40123/control"}
//! ```
//!
//! | Endpoint | Purpose |
//! | --- | --- |
//! | `GET /metadata` | metadata, for the service to fetch |
//! | `GET`, `POST /sso` | requests by HTTP-Redirect and HTTP-POST; shows the login form |
//! | `GET /initiate?acs=&audience=&user=&relay_state=` | sign-in begun here; without `user` it shows the login form |
//! | `POST /control/respond` | `username`, `request` (or `acs`, `audience`) to `{action, SAMLResponse, RelayState}` |
//! | `GET`, `PUT /control/faults` | `{"next": [{"fault": "expired"}], "always": []}` |
//! | `GET`, `PUT`, `POST /control/users` | the whole list, or one more user |
//! | `GET`, `PUT /control/options` | [`idp::Options`]; fields left out take their defaults, so `{}` resets |
//!
//! `request` is the URL that the service redirected to, or the value of `SAMLRequest`. In a browser test, type
//! `alice@example.test` and `alice-password` ([`idp::default_users`] has the others), pick what goes wrong if anything,
//! and press "Sign in". A control request that is not understood is answered with status 422 and `{"field", "error"}`.
//!
//! Responses go to assertion consumer services on loopback, and to those in the option `allowed_acs`; the audience is
//! the request's Issuer. Once `request_certificate_pem` is set, requests must be signed.

mod ambient;
pub mod certificate;
pub mod identity;
pub mod idp;
pub mod message;
pub mod tamper;

pub use idp::{MockIdp, RunningIdp};
