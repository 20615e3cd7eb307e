//! The OpenAPI document: made of the declarations that also route requests, so the two cannot drift.

use actix_web::App;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt as _;

use crate::problem::{ProblemDocument, documentation};
use crate::routes;

/// The head of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vestibule",
        description = "A headless identity service: SAML 2.0 single sign-on for many accounts, and JWT sessions.\n\n\
            Lists are paged: pass `next_cursor` as `cursor` until it is null. Creating requests may carry an \
            `Idempotency-Key`: the same key with the same body gives the same resource again. A resource carries its \
            version as `ETag`; a change with `If-Match` is made to that version or refused with \
            `precondition_failed`. Times are RFC 3339 in UTC. Errors are `application/problem+json` with a stable `code`; see `/docs/errors`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This instance of the service")),
    components(schemas(ProblemDocument)),
    modifiers(&SecuritySchemes),
    tags(
        (name = "accounts", description = "Accounts are the tenants: customers, each apart from the others."),
        (name = "users", description = "People in a portal of an account."),
        (name = "invitations", description = "Invitations of users, and their states."),
        (name = "api keys", description = "Keys for an account's own automation."),
        (name = "account links", description = "Accounts that administrators may switch between, sandboxes among them."),
        (name = "applications", description = "Registered frontends of an account."),
        (name = "shared applications", description = "Frontends that all accounts share; for operators."),
        (name = "saml connections", description = "The trust between a portal and its identity provider."),
        (name = "sso migrations", description = "Requiring SSO of a portal, and going back: previewed, signed off, applied."),
        (name = "sign-in attempts", description = "Attempts to sign in, the stage that each reached, and the setting to change."),
        (name = "sessions", description = "Sessions of signed-in users."),
        (name = "audit", description = "The log of changes, with their authors."),
        (name = "mail", description = "The outbox, the mailbox of development, and how an account's mails look."),
        (name = "me", description = "The signed-in user's own data and actions."),
        (name = "sign-in", description = "Operations that login pages call, without credentials."),
        (name = "oauth", description = "Codes and refresh tokens become access tokens (OAuth 2.1)."),
        (name = "saml", description = "Endpoints for identity providers and the browsers that they send."),
        (name = "operation", description = "Keys, health and this document."),
    ),
)]
struct Head;

/// Schemes by which callers authenticate.
struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut Document) {
        let bearer = |format: Option<&str>, description: &str| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.bearer_format = format.map(str::to_owned);
            http.description = Some(description.to_owned());
            SecurityScheme::Http(http)
        };
        let components = document.components.get_or_insert_default();
        let access_token = bearer(Some("JWT"), "The access token of a signed-in user.");
        let operator_key = bearer(None, "The API key of an operator (`vop_…`).");
        let api_key = bearer(None, "An API key of an account (`vak_…`), with the scope that the operation needs.");
        components.add_security_scheme("access_token", access_token);
        components.add_security_scheme("api_key", api_key);
        components.add_security_scheme("operator_key", operator_key);
    }
}

/// The OpenAPI document of all operations.
pub fn document() -> Document {
    let head = Head::openapi();
    let (_, mut document) = App::new().into_utoipa_app().openapi(head).configure(routes::register).split_for_parts();
    documentation::add_components(&mut document);
    document
}

/// The document as JSON, indented, in an order that stays the same; ends without a line break.
pub fn openapi() -> String {
    document().to_pretty_json().unwrap_or_default()
}
