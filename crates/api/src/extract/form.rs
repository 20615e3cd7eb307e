//! Forms: of browsers at the ACS, of clients at the OAuth endpoints. Unknown fields are ignored there (RFC 6749,
//! section 3.2); a field that counts must not come twice.

use std::collections::HashMap;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use service::{Code, Error};
use tokio::sync::Semaphore;
use url::form_urlencoded;

use super::body::{media_type, read_body};
use crate::problem::Problem;

/// Most bytes of a form at the ACS: a `SAMLResponse` of 640 KiB, every byte of its base64 possibly escaped as
/// three, would be more; but base64 has few characters that are, and this is far beyond what identity providers
/// send.
pub const ACS_MAX_BYTES: usize = 960 * 1024;
/// Size in bytes from which on a form is large.
const LARGE: usize = 64 * 1024;
/// Permit to parse a large form: one at a time and beside the threads that serve, which a flood of them would keep
/// busy.
static LARGE_FORMS: Semaphore = Semaphore::const_new(1);
/// Most bytes of a form at the OAuth endpoints.
pub const TOKEN_MAX_BYTES: usize = 16 * 1024;
/// Most fields that are read of a form.
const FIELDS_MAX: usize = 32;
/// The media type of forms.
const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The fields of a form.
#[derive(Debug, Default)]
pub struct Form {
    fields: HashMap<String, String>,
    repeated: Vec<String>,
}

impl Form {
    /// Reads a form. Names that come twice are remembered.
    pub fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body).take(FIELDS_MAX) {
            let name = name.into_owned();
            if form.fields.insert(name.clone(), value.into_owned()).is_some() {
                form.repeated.push(name);
            }
        }
        form
    }

    /// Finds a field that came with a value (a parameter without one counts as left out: RFC 6749, section 3.2).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Takes a field out of the form.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name)
    }

    /// The names of fields that came more than once.
    pub fn repeated(&self) -> &[String] {
        &self.repeated
    }
}

/// The form of the SAML POST binding (bindings, section 3.5.4).
#[derive(Debug)]
pub struct AcsForm {
    /// Content of the field `SAMLResponse`.
    pub saml_response: String,
    /// Content of the field `RelayState`, if it came.
    pub relay_state: Option<String>,
}

impl FromRequest for AcsForm {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            let mut form = read_form(&request, &mut payload, ACS_MAX_BYTES).await?;
            let fields = ["SAMLResponse", "RelayState"];
            if let Some(name) = fields.iter().find(|name| form.repeated().iter().any(|repeated| repeated == *name)) {
                return Err(Problem::invalid(*name, "must come once"));
            }
            let missing = || Problem::invalid("SAMLResponse", "is missing");
            let saml_response = form.take("SAMLResponse").ok_or_else(missing)?;
            Ok(Self { saml_response, relay_state: form.take("RelayState") })
        }
        .boxed_local()
    }
}

/// A form at an OAuth endpoint. It is never refused here: those refusals have a shape of their own.
#[derive(Debug)]
pub struct OAuthForm(pub Result<Form, Problem>);

impl FromRequest for OAuthForm {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move { Ok(Self(read_form(&request, &mut payload, TOKEN_MAX_BYTES).await)) }.boxed_local()
    }
}

async fn read_form(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<Form, Problem> {
    if media_type(request) != FORM_MEDIA_TYPE {
        return Err(Error::new(Code::UnsupportedMediaType).into());
    }
    let body = read_body(request, payload, limit).await?;
    if body.len() < LARGE {
        return Ok(Form::parse(&body));
    }
    let permit = LARGE_FORMS.acquire().await.map_err(Error::internal)?;
    let form = tokio::task::spawn_blocking(move || Form::parse(&body)).await.map_err(Error::internal)?;
    drop(permit);
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves D4, C10: of two values of one name none is picked.
    #[test]
    fn a_repeated_field_is_noticed_whatever_its_value() {
        let form = Form::parse(b"code=a&client_id=b&code=a");
        assert_eq!(form.repeated(), ["code"]);
        assert_eq!(Form::parse(b"code=&client_id=b").get("code"), None);
        assert_eq!(Form::parse(b"code=a%2Bb").get("code"), Some("a+b"));
    }
}
