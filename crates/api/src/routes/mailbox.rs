//! The mailbox of development: mails that would have been sent, for people and test suites to read.

use actix_web::{HttpResponse, delete, get, web};
use domain::email::Email;
use domain::language::Language;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::Service;
use service::ports::RenderedMail;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answer::List;
use super::names::LanguageName;
use crate::extract::{Authenticated, Parameters};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ] + InvalidInput;
    ClearProblems = [READ];
}

/// Registers the operations on the development mailbox.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(read_mailbox).service(clear_mailbox);
}

/// A mail that would have been sent.
#[derive(Debug, Serialize, ToSchema)]
struct MailboxMail {
    /// `Message-ID` header of the mail.
    #[schema(example = "mail_01890a5d6c0e7c3b8f0e1d2c3b4a5968@login.example.com")]
    message_id: String,
    /// Address that the mail is sent to.
    #[schema(value_type = String, example = "ann@example.com")]
    to: Email,
    /// The name beside the sender's address.
    sender_name: String,
    /// Address that replies go to.
    #[schema(value_type = Option<String>, example = "help@example.com")]
    reply_to: Option<Email>,
    /// Language that the mail is written in.
    #[schema(value_type = LanguageName)]
    language: Language,
    /// Subject line of the mail.
    subject: String,
    /// Plain text part of the mail.
    text: String,
    /// HTML part of the mail.
    html: String,
    /// The links of the text part, in order.
    #[schema(example = json!(["https://app.example.com/accept-invitation#token=…"]))]
    links: Vec<String>,
    /// Time at which the mail would have been sent.
    sent_at: Timestamp,
}

impl From<RenderedMail> for MailboxMail {
    fn from(mail: RenderedMail) -> Self {
        Self {
            links: links(&mail.text),
            message_id: mail.message_id,
            to: mail.to,
            sender_name: mail.sender_name,
            reply_to: mail.reply_to,
            language: mail.language,
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            sent_at: mail.date,
        }
    }
}

fn links(text: &str) -> Vec<String> {
    let is_link = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
    text.split_whitespace().filter(is_link).map(str::to_owned).collect()
}

/// Filter of the shown mails.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MailboxQuery {
    /// Recipient whose mails are shown; all where it is left out.
    #[param(value_type = Option<String>, example = "ann@example.com")]
    to: Option<Email>,
}

/// Read the mailbox.
///
/// For operators, in development without a mail server: the mails that would have been sent, the newest first, at
/// most 1,000. Elsewhere the mailbox does not exist.
#[utoipa::path(
    operation_id = "read_mailbox", tag = "mail", security(("operator_key" = [])), params(MailboxQuery),
    responses((status = 200, description = "The mails as they are now", body = List<MailboxMail>), ReadProblems),
)]
#[get("/v1/mailbox")]
async fn read_mailbox(
    caller: Authenticated,
    query: Parameters<MailboxQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<MailboxMail>>, Problem> {
    Ok(web::Json(List::whole(service.mail.mailbox(&caller.0, query.0.to.as_ref())?)))
}

/// Empty the mailbox.
///
/// For operators, in development without a mail server.
#[utoipa::path(
    operation_id = "clear_mailbox", tag = "mail", security(("operator_key" = [])),
    responses((status = 204, description = "The mailbox is empty"), ClearProblems),
)]
#[delete("/v1/mailbox")]
async fn clear_mailbox(caller: Authenticated, service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    service.mail.clear_mailbox(&caller.0)?;
    Ok(HttpResponse::NoContent().finish())
}
