//! The outbox, for operators: mails that wait, and those that were given up, with the reason. Their content is
//! never shown.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, delete, get, post, web};
use domain::email::Email;
use domain::language::Language;
use domain::mail::{Mail as DomainMail, MailKind, MailState};
use domain::{AccountId, MailId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{MailFilter, Service, TestMail};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::PageParameters;
use super::answer::List;
use super::names::{LanguageName, MailKindName, MailStateName};
use crate::extract::{Authenticated, Ids, JsonBody, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [SECURED] + InvalidInput;
    ReadProblems = [READ];
    TestProblems = [READ, BODY];
    RetryProblems = [READ] + MailNotRetryable;
    DiscardProblems = [READ] + MailBeingSent;
}

/// Registers the operations on mails.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_mails).service(get_mail).service(send_test_mail).service(retry_mail).service(discard_mail);
}

/// A mail in the outbox, without its content.
#[derive(Debug, Serialize, ToSchema)]
struct Mail {
    /// Identifier of the mail.
    #[schema(value_type = String, example = "mail_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: MailId,
    /// Account in whose name it is sent; null for mail that concerns no account.
    #[schema(value_type = Option<String>, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: Option<AccountId>,
    /// Kind of the mail.
    #[schema(value_type = MailKindName)]
    kind: MailKind,
    /// Language that the mail is written in.
    #[schema(value_type = LanguageName)]
    language: Language,
    /// Address that the mail is sent to.
    #[schema(value_type = String, example = "ann@example.com")]
    recipient: Email,
    /// Its `Message-ID`, to find it in the mail server's log.
    #[schema(example = "mail_01890a5d6c0e7c3b8f0e1d2c3b4a5968@login.example.com")]
    message_id: String,
    /// Delivery state of the mail.
    #[schema(value_type = MailStateName)]
    state: MailState,
    /// Number of delivery attempts so far.
    attempts: u32,
    /// Time of the next attempt; while the mail is being sent, the time at which it is taken for lost.
    due_at: Option<Timestamp>,
    /// Error of the last failed delivery attempt.
    #[schema(example = "permanent error (550): 5.1.1 no such user")]
    last_error: Option<String>,
    /// Time at which its content stops being of use; it is not sent later.
    expires_at: Option<Timestamp>,
    /// Time at which it was delivered or given up.
    settled_at: Option<Timestamp>,
    /// Time at which the mail was written.
    created_at: Timestamp,
}

impl From<DomainMail> for Mail {
    fn from(mail: DomainMail) -> Self {
        Self {
            id: mail.id,
            account_id: mail.account_id,
            kind: mail.kind,
            language: mail.language,
            recipient: mail.recipient,
            message_id: mail.message_id,
            state: mail.state,
            attempts: mail.attempts,
            due_at: mail.due_at,
            last_error: mail.last_error,
            expires_at: mail.expires_at,
            settled_at: mail.settled_at,
            created_at: mail.created_at,
        }
    }
}

/// A test mail, to try whether mail arrives.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SendTestMail {
    /// Address that the mail is sent to.
    #[schema(value_type = String, example = "ann@example.com")]
    to: Email,
    /// Language of the mail; English where it is left out.
    #[schema(value_type = Option<LanguageName>)]
    language: Option<Language>,
    /// Account in whose name it is sent, to see its branding.
    #[schema(value_type = Option<String>, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: Option<AccountId>,
}

impl From<SendTestMail> for TestMail {
    fn from(test: SendTestMail) -> Self {
        let SendTestMail { to, language, account_id } = test;
        Self { to, language: language.unwrap_or(Language::English), account_id }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct MailPath {
    /// Identifier of the mail.
    #[param(value_type = String, example = "mail_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    mail_id: MailId,
}

/// Filter of the listed mails.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MailsQuery {
    /// State of the mails listed; `dead` lists those that were given up.
    #[param(value_type = Option<MailStateName>)]
    state: Option<MailState>,
}

/// List mails.
///
/// For operators. The newest first; what was delivered or given up is kept for 30 days.
#[utoipa::path(
    operation_id = "list_mails", tag = "mail", security(("operator_key" = [])),
    params(MailsQuery, PageParameters),
    responses((status = 200, description = "A page of mails", body = List<Mail>), ListProblems),
)]
#[get("/v1/mails")]
async fn list_mails(
    caller: Authenticated,
    listing: Listing<MailsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Mail>>, Problem> {
    let filter = MailFilter { state: listing.filter.state };
    Ok(web::Json(List::page(service.mail.list_mails(&caller.0, &filter, &listing.page).await?)))
}

/// Read a mail.
///
/// Only operators may call this.
#[utoipa::path(
    operation_id = "get_mail", tag = "mail", security(("operator_key" = [])), params(MailPath),
    responses((status = 200, description = "The mail as it is now", body = Mail), ReadProblems),
)]
#[get("/v1/mails/{mail_id}")]
async fn get_mail(
    caller: Authenticated,
    path: Ids<MailPath>,
    service: web::Data<Service>,
) -> Result<web::Json<Mail>, Problem> {
    Ok(web::Json(service.mail.get_mail(&caller.0, path.0.mail_id).await?.into()))
}

/// Send a test mail.
///
/// For operators. Shows whether mail arrives, and how an account's branding looks.
#[utoipa::path(
    operation_id = "send_test_mail", tag = "mail", security(("operator_key" = [])), request_body = SendTestMail,
    responses(
        (status = 201, description = "The mail; read it again to see what became of it", body = Mail,
            headers(("Location" = String, description = "Path of the new resource"))),
        TestProblems,
    ),
)]
#[post("/v1/test-mails")]
async fn send_test_mail(
    caller: Authenticated,
    test: JsonBody<SendTestMail>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let mail = service.mail.send_test_mail(&caller.0, test.0.into()).await?;
    let location = (LOCATION, format!("/v1/mails/{}", mail.id));
    Ok(HttpResponse::Created().insert_header(location).json(Mail::from(mail)))
}

/// Try a dead mail again.
///
/// For operators. It is queued as if it were new; not possible once its link or code has expired.
#[utoipa::path(
    operation_id = "retry_mail", tag = "mail", security(("operator_key" = [])), params(MailPath),
    responses((status = 200, description = "The mail, queued for delivery", body = Mail), RetryProblems),
)]
#[post("/v1/mails/{mail_id}/retry")]
async fn retry_mail(
    caller: Authenticated,
    path: Ids<MailPath>,
    service: web::Data<Service>,
) -> Result<web::Json<Mail>, Problem> {
    Ok(web::Json(service.mail.retry_mail(&caller.0, path.0.mail_id).await?.into()))
}

/// Discard a mail.
///
/// For operators. A mail that has not been sent yet is never sent.
#[utoipa::path(
    operation_id = "discard_mail", tag = "mail", security(("operator_key" = [])), params(MailPath),
    responses((status = 204, description = "The mail is gone"), DiscardProblems),
)]
#[delete("/v1/mails/{mail_id}")]
async fn discard_mail(
    caller: Authenticated,
    path: Ids<MailPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    service.mail.discard_mail(&caller.0, path.0.mail_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
