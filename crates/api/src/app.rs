//! The application that every worker serves.

use std::sync::Arc;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use service::{Code, Service};

use crate::extract::{RateLimiters, TrustedProxies};
use crate::openapi::{document, openapi};
use crate::problem::Problem;
use crate::problem::documentation::operations;
use crate::routes;
use crate::routes::documents::OpenApiJson;
use crate::settings::ApiSettings;

/// State that all workers share.
#[derive(Clone)]
pub struct Shared {
    service: Data<Service>,
    proxies: Data<TrustedProxies>,
    limiters: Data<RateLimiters>,
    methods: Data<Methods>,
    document: Data<OpenApiJson>,
}

impl Shared {
    /// Prepares the state, once for the process.
    pub fn new(service: Arc<Service>, settings: &ApiSettings) -> Self {
        Self {
            service: Data::from(service),
            proxies: Data::new(TrustedProxies(settings.trusted_proxies.clone())),
            limiters: Data::new(RateLimiters::new(settings.limits)),
            methods: Data::new(Methods::of_document()),
            document: Data::new(OpenApiJson(openapi())),
        }
    }

    /// Registers the shared state and every route.
    pub fn configure(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.service.clone())
            .app_data(self.proxies.clone())
            .app_data(self.limiters.clone())
            .app_data(self.methods.clone())
            .app_data(self.document.clone());
        routes::register(&mut utoipa_actix_web::service_config::ServiceConfig::new(config));
        routes::documents::register_browser(config);
        config.default_service(web::to(nothing_here));
    }
}

/// Methods of each path, as the OpenAPI document declares them.
struct Methods(Vec<(ResourceDef, Vec<Method>)>);

impl Methods {
    fn of_document() -> Self {
        let document = document();
        let methods = |item| operations(item).filter_map(|(name, _)| name.parse().ok()).collect();
        Self(document.paths.paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect())
    }

    fn of_path(&self, path: &str) -> Vec<Method> {
        self.0
            .iter()
            .find(|(pattern, _)| pattern.is_match(path))
            .map(|(_, methods)| methods.clone())
            .unwrap_or_default()
    }
}

/// Tells a path that is not there from one that has other methods.
async fn nothing_here(request: HttpRequest, methods: Data<Methods>) -> Result<HttpResponse, Problem> {
    let allowed = methods.of_path(request.path());
    Err(if allowed.is_empty() { Problem::new(Code::RouteNotFound) } else { Problem::method_not_allowed(allowed) })
}
