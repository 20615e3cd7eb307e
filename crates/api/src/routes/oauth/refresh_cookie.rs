//! The cookie that a refresh token lives in, where its application chose that (I2): one per application, out of reach
//! of scripts, and never sent from other sites.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use domain::ApplicationId;
use service::Service;

/// Refresh token cookie of one application.
pub struct RefreshCookie {
    name: String,
    secure: bool,
}

impl RefreshCookie {
    /// Builds the cookie of an application. Over https its name has the prefix by which browsers hold that no other
    /// host has set it (RFC 6265bis, section 4.1.3.2); it demands the path `/`. Plain http is for development
    /// alone.
    pub fn of(service: &Service, application: ApplicationId) -> Self {
        let secure = service.settings().base_url.scheme() == "https";
        let prefix = if secure { "__Host-" } else { "" };
        Self { name: format!("{prefix}vestibule_refresh_{application}"), secure }
    }

    /// Reads the token from the request's cookie.
    pub fn read(&self, request: &HttpRequest) -> Option<String> {
        request.cookie(&self.name).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
    }

    /// Builds the cookie with this token, which lives for so many seconds.
    pub fn set(&self, token: &str, seconds: u32) -> Cookie<'static> {
        Cookie::build(self.name.clone(), token.to_owned())
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Strict)
            .max_age(Duration::seconds(seconds.into()))
            .finish()
    }

    /// Builds the cookie that removes this one.
    pub fn removal(&self) -> Cookie<'static> {
        self.set("", 0)
    }
}
