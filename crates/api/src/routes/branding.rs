//! Look and sender of an account's mails.

use actix_web::{HttpResponse, get, put, web};
use domain::branding::{AccentColor, Branding as DomainBranding, BrandingSettings, LogoUrl};
use domain::email::Email;
use domain::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Service, Versioned};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IfMatchParameter};
use super::answer::versioned;
use crate::extract::{Authenticated, Ids, IfMatch, JsonBody};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ];
    ReplaceProblems = [READ, BODY] + PreconditionFailed;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_branding).service(replace_branding);
}

/// Look of the account's mails. What is null has its default.
#[derive(Debug, Serialize, ToSchema)]
struct Branding {
    /// Name that the mails speak of; the account's display name where it is null.
    #[schema(value_type = Option<String>, example = "Example Cars")]
    brand_name: Option<Label>,
    /// A picture at the head of the HTML part.
    #[schema(value_type = Option<String>, example = "https://cdn.example.com/logo.png")]
    logo_url: Option<LogoUrl>,
    /// The colour of links and codes.
    #[schema(value_type = Option<String>, example = "#1f4e79")]
    accent_color: Option<AccentColor>,
    /// Contact to ask for help.
    #[schema(value_type = Option<String>, example = "help@example.com")]
    support_contact: Option<Label>,
    /// The name beside the sender's address; the brand's where it is null.
    #[schema(value_type = Option<String>, example = "Example Cars IT")]
    sender_name: Option<Label>,
    /// Address that answers go to.
    #[schema(value_type = Option<String>, example = "help@example.com")]
    reply_to: Option<Email>,
    /// Time at which it last changed.
    updated_at: Timestamp,
}

impl From<DomainBranding> for Branding {
    fn from(branding: DomainBranding) -> Self {
        let settings = branding.settings;
        Self {
            brand_name: settings.brand_name,
            logo_url: settings.logo_url,
            accent_color: settings.accent_color,
            support_contact: settings.support_contact,
            sender_name: settings.sender_name,
            reply_to: settings.reply_to,
            updated_at: branding.updated_at,
        }
    }
}

/// Look of the account's mails: all of it. What is left out or null has its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplaceBranding {
    /// Name that the mails speak of.
    #[schema(value_type = Option<String>, example = "Example Cars", max_length = 200)]
    brand_name: Option<Label>,
    /// A picture: an https URL.
    #[schema(value_type = Option<String>, example = "https://cdn.example.com/logo.png", max_length = 1000)]
    logo_url: Option<LogoUrl>,
    /// A colour in six hexadecimal digits.
    #[schema(value_type = Option<String>, example = "#1f4e79", pattern = "^#[0-9A-Fa-f]{6}$")]
    accent_color: Option<AccentColor>,
    /// Contact to ask for help: an address, a telephone number, a URL.
    #[schema(value_type = Option<String>, example = "help@example.com", max_length = 200)]
    support_contact: Option<Label>,
    /// The name beside the sender's address.
    #[schema(value_type = Option<String>, example = "Example Cars IT", max_length = 200)]
    sender_name: Option<Label>,
    /// Address that answers go to.
    #[schema(value_type = Option<String>, example = "help@example.com")]
    reply_to: Option<Email>,
}

impl From<ReplaceBranding> for BrandingSettings {
    fn from(new: ReplaceBranding) -> Self {
        let ReplaceBranding { brand_name, logo_url, accent_color, support_contact, sender_name, reply_to } = new;
        Self { brand_name, logo_url, accent_color, support_contact, sender_name, reply_to }
    }
}

/// Read the branding of an account's mails.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_branding", tag = "mail", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath),
    responses(
        (status = 200, description = "The branding as it is now", body = Branding,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/branding")]
async fn get_branding(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let found = service.mail.get_branding(&caller.0, path.0.account_id).await?;
    Ok(versioned(found.updated_at, &Branding::from(found)))
}

/// Replace the branding of an account's mails.
///
/// For operators and owners.
#[utoipa::path(
    operation_id = "replace_branding", tag = "mail", security(("operator_key" = []), ("access_token" = [])),
    params(AccountPath, IfMatchParameter), request_body = ReplaceBranding,
    responses(
        (status = 200, description = "The branding as it is now", body = Branding,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReplaceProblems,
    ),
)]
#[put("/v1/accounts/{account_id}/branding")]
async fn replace_branding(
    caller: Authenticated,
    path: Ids<AccountPath>,
    seen: IfMatch,
    new: JsonBody<ReplaceBranding>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.account_id, seen: seen.0 };
    let changed = service.mail.replace_branding(&caller.0, target, new.0.into()).await?;
    Ok(versioned(changed.updated_at, &Branding::from(changed)))
}
