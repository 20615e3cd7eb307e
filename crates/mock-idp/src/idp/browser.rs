//! The endpoints that a browser visits: the front page, metadata, single sign-on, the login form, and sign-in
//! begun here.

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Form, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;

use super::answer::SignIn;
use super::authn_request::{self, Binding, RequestError};
use super::fault::Fault;
use super::metadata;
use super::page;
use super::state::{AnswerError, State};

/// Registers the endpoints that a browser visits.
pub(super) fn configure(service: &mut ServiceConfig) {
    service
        .service(get_front)
        .service(get_metadata)
        .service(get_sso)
        .service(post_sso)
        .service(post_login)
        .service(get_initiate);
}

#[get("/")]
async fn get_front(state: Data<State>) -> HttpResponse {
    let users = state.settings().users.clone();
    page::front(&state.entity_id, &users)
}

#[get("/metadata")]
async fn get_metadata(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/samlmetadata+xml").body(metadata::document(&state))
}

/// The parameters of either binding.
#[derive(Deserialize)]
struct SsoParameters {
    #[serde(rename = "SAMLRequest")]
    saml_request: Option<String>,
    #[serde(rename = "RelayState")]
    relay_state: Option<String>,
}

#[get("/sso")]
async fn get_sso(state: Data<State>, request: HttpRequest, parameters: Query<SsoParameters>) -> HttpResponse {
    let query = request.query_string();
    begin(&state, parameters.into_inner(), Binding::Redirect { query })
}

#[post("/sso")]
async fn post_sso(state: Data<State>, parameters: Form<SsoParameters>) -> HttpResponse {
    begin(&state, parameters.into_inner(), Binding::Post)
}

fn begin(state: &State, parameters: SsoParameters, binding: Binding<'_>) -> HttpResponse {
    let Some(value) = parameters.saml_request else {
        return page::refusal(&RequestError::Missing.to_string());
    };
    let certificate = state.request_certificate();
    let request = match authn_request::read(&value, binding, &state.sso_url(), certificate.as_ref()) {
        Ok(request) => request,
        Err(error) => return page::refusal(&error.to_string()),
    };
    let is_passive = request.is_passive;
    match state.sign_in(request, parameters.relay_state) {
        // Nobody is ever signed in here already, so a passive request cannot succeed (SAML core section 3.4.1).
        Ok(sign_in) if is_passive => answer_page(state.refusal(&sign_in, "NoPassive")),
        Ok(sign_in) => login_page(state, &sign_in),
        Err(error) => page::refusal(&error.to_string()),
    }
}

fn login_page(state: &State, sign_in: &SignIn) -> HttpResponse {
    let handle = state.remember(sign_in.clone());
    page::login(&handle, sign_in, &state.settings().users, None)
}

#[derive(Deserialize)]
struct LoginForm {
    handle: String,
    username: String,
    password: String,
    /// Position in [`Fault::choices`], or empty.
    #[serde(default)]
    fault: String,
}

#[post("/login")]
async fn post_login(state: Data<State>, form: Form<LoginForm>) -> HttpResponse {
    let Some(sign_in) = state.pending(&form.handle) else {
        return page::refusal("This sign-in was answered already, or is not known. Start again at the application.");
    };
    let user = match state.user(&form.username) {
        Ok(user) if user.password == form.password => user,
        _ => {
            let users = state.settings().users.clone();
            return page::login(&form.handle, &sign_in, &users, Some("Username or password is wrong."));
        }
    };
    state.forget(&form.handle);
    let chosen = form.fault.parse::<usize>().ok();
    let fault = chosen.and_then(|index| Fault::choices().into_iter().nth(index));
    answer_page(state.answer(&sign_in, &user, fault.map(|(fault, _)| vec![fault])))
}

/// Query of a sign-in that begins at the identity provider.
#[derive(Deserialize)]
struct Initiation {
    acs: String,
    audience: String,
    /// User to sign in at once; the login form is skipped.
    user: Option<String>,
    relay_state: Option<String>,
}

#[get("/initiate")]
async fn get_initiate(state: Data<State>, parameters: Query<Initiation>) -> HttpResponse {
    let Initiation { acs, audience, user, relay_state } = parameters.into_inner();
    let sign_in = state.checked(SignIn { request_id: None, audience, acs, relay_state });
    match (sign_in, user) {
        (Ok(sign_in), Some(username)) => {
            let user = state.user(&username);
            answer_page(user.and_then(|user| state.answer(&sign_in, &user, None)))
        }
        (Ok(sign_in), None) => login_page(&state, &sign_in),
        (Err(error), _) => page::refusal(&error.to_string()),
    }
}

fn answer_page(answer: Result<super::answer::Answer, AnswerError>) -> HttpResponse {
    match answer {
        Ok(answer) => page::answer(&answer),
        Err(error) => page::refusal(&error.to_string()),
    }
}

/// Answers an unknown path with 404.
pub(super) async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().content_type(ContentType::plaintext()).body("not found; try /metadata")
}
