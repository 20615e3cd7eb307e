//! A stand-in for a person's browser: cookies, redirects one by one, and HTML forms. It runs no scripts; what a page's
//! script would submit at once is recognized by having nothing that a person could fill in.

mod form;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, StatusCode};
use url::Url;

pub use form::Form;

/// Redirects that a browser follows before it calls a page broken; browsers allow twenty.
const MAX_REDIRECTS: usize = 20;

/// A browser with its own cookies.
pub struct Browser {
    http: reqwest::Client,
    application: Option<String>,
    /// Requests of the browser, in order, with what was answered.
    pub trail: Vec<Step>,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Step {
    /// Method by which the request was sent.
    pub method: Method,
    /// URL that the request was sent to.
    pub url: Url,
    /// Status of the answer to it.
    pub status: StatusCode,
}

/// Places at which a visit ends.
#[derive(Debug, Clone)]
pub enum Place {
    /// The visit ends at a page that is shown to the person.
    Page(Page),
    /// The visit is on its way to the application, which the test plays itself; nothing was requested there.
    Application(Url),
}

/// A page that a person sees.
#[derive(Debug, Clone)]
pub struct Page {
    /// URL that the page came from.
    pub url: Url,
    /// HTTP status that it came with.
    pub status: StatusCode,
    /// Media type from its `Content-Type`.
    pub content_type: String,
    /// Body of the page as text.
    pub text: String,
}

impl Browser {
    /// A browser that goes wherever it is sent.
    pub fn new() -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).cookie_store(true).no_proxy().build().unwrap();
        Self { http, application: None, trail: vec![] }
    }

    /// A browser that stops when it is redirected to an address with this beginning.
    pub fn stopping_at(application: &str) -> Self {
        Self { application: Some(application.to_owned()), ..Self::new() }
    }

    /// Goes to an address.
    pub async fn visit(&mut self, url: &str) -> Place {
        self.follow(Method::GET, url.parse().unwrap(), vec![]).await
    }

    /// Sends a form as it stands.
    pub async fn submit(&mut self, form: Form) -> Place {
        let Form { method, action, fields } = form;
        if method == Method::GET {
            let mut url = action;
            url.query_pairs_mut().clear().extend_pairs(&fields);
            return self.follow(method, url, vec![]).await;
        }
        self.follow(method, action, fields).await
    }

    /// Fills in the page's login form and sends it; what comes back is left as it is.
    pub async fn log_in(&mut self, page: &Page, username: &str, password: &str) -> Place {
        self.submit(page.login_form().with("username", username).with("password", password)).await
    }

    /// Sends what a page's script would send at once, if there is such a form.
    pub async fn carry_on(&mut self, place: Place) -> Place {
        match &place {
            Place::Page(page) => match page.forms().into_iter().find(Form::carries_a_message) {
                Some(form) => self.submit(form).await,
                None => place,
            },
            Place::Application(_) => place,
        }
    }

    async fn follow(&mut self, mut method: Method, mut url: Url, mut fields: Vec<(String, String)>) -> Place {
        for _ in 0..=MAX_REDIRECTS {
            if self.application.as_ref().is_some_and(|application| url.as_str().starts_with(application)) {
                return Place::Application(url);
            }
            let response = self.request(&method, &url, &fields).send().await.unwrap();
            let status = response.status();
            self.trail.push(Step { method: method.clone(), url: url.clone(), status });
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let Some(location) = header(LOCATION).filter(|_| status.is_redirection()) else {
                let content_type = header(CONTENT_TYPE).unwrap_or_default();
                return Place::Page(Page { url, status, content_type, text: response.text().await.unwrap() });
            };
            url = url.join(&location).unwrap();
            if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
                (method, fields) = (Method::GET, vec![]);
            }
        }
        panic!("more than {MAX_REDIRECTS} redirects: {:#?}", self.trail);
    }

    fn request(&self, method: &Method, url: &Url, fields: &[(String, String)]) -> RequestBuilder {
        let request = self.http.request(method.clone(), url.clone()).header("Accept", "text/html,*/*;q=0.8");
        if *method == Method::POST { request.form(fields) } else { request }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// The page, if the visit ended at one.
    #[track_caller]
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Application(url) => panic!("the browser was sent to the application: {url}"),
        }
    }

    /// The address at the application that the browser was sent to.
    #[track_caller]
    pub fn application(self) -> Url {
        match self {
            Self::Application(url) => url,
            Self::Page(page) => panic!("the browser stayed at {}: {} {}", page.url, page.status, page.text),
        }
    }
}

impl Page {
    /// The page's forms, as they would be sent untouched.
    pub fn forms(&self) -> Vec<Form> {
        form::read(&self.text, &self.url)
    }

    /// The form that asks for a password.
    #[track_caller]
    pub fn login_form(&self) -> Form {
        let found = self.forms().into_iter().find(|form| form.has("password"));
        found.unwrap_or_else(|| panic!("no login form at {}: {} {}", self.url, self.status, self.text))
    }
}
