//! The control API: JSON in, JSON out, for test suites. It has no authentication, as the server listens on
//! loopback only.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpResponse, get, post, put};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::answer::SignIn;
use super::authn_request;
use super::fault::{Fault, Faults};
use super::options::Options;
use super::state::State;
use super::user::User;

/// Registers the endpoints of the control API.
pub(super) fn configure(service: &mut ServiceConfig) {
    service
        .service(get_faults)
        .service(put_faults)
        .service(get_users)
        .service(put_users)
        .service(post_user)
        .service(get_options)
        .service(put_options)
        .service(post_respond);
}

#[get("/control/faults")]
async fn get_faults(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.settings().faults)
}

#[put("/control/faults")]
async fn put_faults(state: Data<State>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let faults: Faults = decode(&body)?;
    state.settings().faults = faults.clone();
    Ok(HttpResponse::Ok().json(faults))
}

#[get("/control/users")]
async fn get_users(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.settings().users)
}

#[put("/control/users")]
async fn put_users(state: Data<State>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let values: Vec<Value> = serde_json::from_slice(&body).map_err(|error| Refusal::new("", &error))?;
    let mut users: Vec<User> = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let within = |refusal: Refusal| refusal.within(&format!("[{index}]"));
        let user = object(value).and_then(decode_object).and_then(checked).map_err(within)?;
        if users.iter().any(|known| known.username == user.username) {
            return Err(within(Refusal::new("username", &"another user has this username")));
        }
        users.push(user);
    }
    state.settings().users.clone_from(&users);
    Ok(HttpResponse::Ok().json(users))
}

#[post("/control/users")]
async fn post_user(state: Data<State>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let user = checked(decode(&body)?)?;
    let mut settings = state.settings();
    if settings.users.iter().any(|known| known.username == user.username) {
        return Err(Refusal::new("username", &"another user has this username"));
    }
    settings.users.push(user.clone());
    Ok(HttpResponse::Created().json(user))
}

#[get("/control/options")]
async fn get_options(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.settings().options)
}

#[put("/control/options")]
async fn put_options(state: Data<State>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let options: Options = decode(&body)?;
    options.check().map_err(|error| Refusal::new(error.field(), &error))?;
    state.settings().options = options.clone();
    Ok(HttpResponse::Ok().json(options))
}

/// Body of `POST /control/respond`: a user, and either a request or the two places that a sign-in begun here names.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Respond {
    username: String,
    /// The URL that the service provider redirected to, or the value of `SAMLRequest`.
    request: Option<String>,
    relay_state: Option<String>,
    acs: Option<String>,
    audience: Option<String>,
    /// Instead of those that are set.
    faults: Option<Vec<Fault>>,
}

#[post("/control/respond")]
async fn post_respond(state: Data<State>, body: Bytes) -> Result<HttpResponse, Refusal> {
    let respond: Respond = decode(&body)?;
    let user = state.user(&respond.username).map_err(|error| Refusal::new("username", &error))?;
    let faults = respond.faults.clone();
    let sign_in = sign_in(&state, respond)?;
    let answer = state.answer(&sign_in, &user, faults);
    answer.map(|answer| HttpResponse::Ok().json(answer)).map_err(|error| Refusal::new("", &error))
}

fn sign_in(state: &State, respond: Respond) -> Result<SignIn, Refusal> {
    let Some(request) = &respond.request else {
        let acs = respond.acs.ok_or_else(|| Refusal::new("acs", &"needed where there is no request"))?;
        let audience = respond.audience.unwrap_or_else(|| acs.clone());
        let sign_in = SignIn { request_id: None, audience, acs, relay_state: respond.relay_state };
        return state.checked(sign_in).map_err(|error| Refusal::new("acs", &error));
    };
    let (value, relay_state) = request_parameters(request)?;
    let authn_request =
        authn_request::read_either(&value, &state.sso_url()).map_err(|error| Refusal::new("request", &error))?;
    state.sign_in(authn_request, respond.relay_state.or(relay_state)).map_err(|error| Refusal::new("request", &error))
}

/// `SAMLRequest` and `RelayState` of a URL, or a bare value.
fn request_parameters(request: &str) -> Result<(String, Option<String>), Refusal> {
    if !request.starts_with("http") {
        return Ok((request.to_owned(), None));
    }
    let url = Url::parse(request).map_err(|error| Refusal::new("request", &error))?;
    let parameter = |wanted: &str| {
        let found = url.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    let value = parameter("SAMLRequest").ok_or_else(|| Refusal::new("request", &"the URL has no SAMLRequest"))?;
    Ok((value, parameter("RelayState")))
}

/// A JSON body that is not accepted, with the field to correct.
#[derive(Debug, Serialize)]
struct Refusal {
    field: String,
    error: String,
}

impl Refusal {
    fn new(field: &str, error: &dyn std::fmt::Display) -> Self {
        Self { field: field.to_owned(), error: error.to_string() }
    }

    fn within(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.field, self.error)
    }
}

impl actix_web::ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(self)
    }
}

fn checked(user: User) -> Result<User, Refusal> {
    match &user {
        User { username, .. } if username.is_empty() => Err(Refusal::new("username", &"is missing")),
        User { email, .. } if email.is_empty() => Err(Refusal::new("email", &"is missing")),
        _ => Ok(user),
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let value = serde_json::from_slice(body).map_err(|error| Refusal::new("", &error))?;
    decode_object(object(value)?)
}

fn object(value: Value) -> Result<Map<String, Value>, Refusal> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::new("", &"a JSON object is needed")),
    }
}

/// Decodes field by field: as every field has a default, the one that fails alone is the one to name.
fn decode_object<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Refusal> {
    for (field, value) in &object {
        let alone = Map::from_iter([(field.clone(), value.clone())]);
        serde_json::from_value::<T>(Value::Object(alone)).map_err(|error| Refusal::new(field, &error))?;
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| Refusal::new("", &error))
}
