//! Schemas of the closed lists of names that the API speaks, made of the domain's own lists.

use std::borrow::Cow;

use domain::account_link::{AccountRelation, LinkState};
use domain::account_pair::PairState;
use domain::api_key::ApiKeyScope;
use domain::audit::AuditAction;
use domain::invitation::{AcceptBy, InvitationState};
use domain::language::Language;
use domain::mail::{MailKind, MailState};
use domain::owner_invitation::{OwnerInvitationBlock, OwnerInvitationState};
use domain::portal::Portal;
use domain::role::Role;
use domain::sign_in_attempt::{AttemptKind, AttemptOutcome, AttemptStage};
use domain::sso::connection::{Provisioning, RequestBinding, SsoMode, UsernameSource};
use domain::sso::test_sign_in::{CheckState, RoleOrigin, TestedSubject};
use domain::sso_migration::decision::Choice;
use domain::sso_migration::row::{ConflictKind, DuplicateRule, KeepReason};
use domain::sso_migration::{ActionName, Blocker, Direction, MigrationState};
use domain::sso_readiness::{FindingCode, Severity};
use domain::user::{SignInMethod, UserStatus};
use serde::Serialize;
use service::Reason;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! names {
    ($($schema:ident ($name:literal, $description:literal) = $values:expr;)*) => {$(
        #[doc = $description]
        pub struct $schema;

        impl PartialSchema for $schema {
            fn schema() -> RefOr<Schema> {
                strings(&$values, $description)
            }
        }

        impl ToSchema for $schema {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )*};
}

/// Declares lists whose names have titles, which the description gives.
macro_rules! titled_names {
    ($($schema:ident ($name:literal, $description:literal) = $values:expr;)*) => {$(
        #[doc = $description]
        pub struct $schema;

        impl PartialSchema for $schema {
            fn schema() -> RefOr<Schema> {
                let values: Vec<_> = $values.map(|value| (value.as_str(), value.title())).collect();
                let titles: String = values.iter().map(|(name, title)| format!("\n- `{name}`: {title}.")).collect();
                let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
                strings(&names, &format!("{}\n{titles}", $description))
            }
        }

        impl ToSchema for $schema {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )*};
}

titled_names! {
    AuditActionName ("AuditAction", "Action that an event of the audit log records.") = AuditAction::ALL.iter();
    ReasonName ("SignInReason", "Reason for which a sign-in was refused.") = Reason::all();
}

names! {
    PortalName ("Portal", "Which directory and which frontends of an account are meant.") = Portal::ALL;
    RoleName ("Role", "An account-wide permission of an `admin` user.") = Role::ALL;
    UserStatusName ("UserStatus", "Where a user stands.") = UserStatus::ALL;
    ApiKeyScopeName ("ApiKeyScope", "What an API key may do.") = ApiKeyScope::ALL;
    LanguageName ("Language", "A language that people are written to in (RFC 5646).") = Language::ALL;
    SignInMethodName ("SignInMethod", "How somebody signed in.") = SignInMethod::ALL;
    InvitationStateName ("InvitationState", "Where an invitation stands.") = InvitationState::ALL;
    AcceptByName ("AcceptBy", "How an invited person comes in: by a link that sets a password, through SSO, or by magic link.") =
        AcceptBy::ALL;
    MailKindName ("MailKind", "What a mail is about.") = MailKind::ALL;
    MailStateName ("MailState", "Where a mail stands.") = MailState::ALL;
    SsoModeName ("SsoMode", "How a portal uses its connection.") = [SsoMode::Off, SsoMode::Optional, SsoMode::Required];
    RequestBindingName ("RequestBinding", "How requests travel to the identity provider.") =
        [RequestBinding::HttpRedirect, RequestBinding::HttpPost];
    UsernameSourceName ("UsernameSource", "Where the username is read.") = [UsernameSource::Attribute, UsernameSource::NameId];
    ProvisioningName ("Provisioning", "What happens when nobody is known by the asserted username.") =
        [Provisioning::JustInTime, Provisioning::InvitedOnly];
    MigrationDirectionName ("SsoMigrationDirection", "Where a migration leads: SSO becomes required, or that is put back.") =
        Direction::ALL;
    MigrationStateName ("SsoMigrationState", "Where a migration stands.") = MigrationState::ALL;
    OwnerInvitationStateName ("OwnerInvitationState", "Where the invitation of an account's first owner stands.") = OwnerInvitationState::ALL;
    OwnerInvitationBlockName ("OwnerInvitationBlock", "What the mail to an account's first owner waits for.") = OwnerInvitationBlock::ALL;
    MigrationActionName ("SsoMigrationAction", "What becomes of a user.") = ActionName::ALL;
    MigrationChoiceName ("SsoMigrationChoice", "What an owner may decide of a user.") = Choice::ALL;
    MigrationBlockerName ("SsoMigrationBlocker", "Why a plan cannot be signed off.") = Blocker::ALL;
    KeepReasonName ("KeepReason", "Why a user stays as they are.") = KeepReason::ALL;
    DuplicateRuleName ("DuplicateRule", "The first rule by which one of two duplicates stays.") = DuplicateRule::ALL;
    SeverityName ("Severity", "How much a finding matters.") = Severity::ALL;
    FindingCodeName ("ReadinessFindingCode", "What was found.") = FindingCode::ALL;
    ConflictKindName ("ConflictKind", "What an owner must decide.") = ConflictKind::ALL;
    AttemptKindName ("AttemptKind", "How a sign-in attempt began.") = AttemptKind::ALL;
    AttemptStageName ("AttemptStage", "How far a sign-in attempt got.") = AttemptStage::ALL;
    AttemptOutcomeName ("AttemptOutcome", "How a sign-in attempt stands.") = AttemptOutcome::ALL;
    AccountRelationName ("AccountRelation", "What another account is to this one.") = AccountRelation::ALL;
    LinkStateName ("LinkState", "Where a link between accounts stands, as one of them sees it.") = LinkState::ALL;
    PairStateName ("PairState", "State of a pair of users.") = PairState::ALL;
    CheckStateName ("CheckState", "How a check of a test sign-in went.") = CheckState::ALL;
    TestedSubjectName ("TestedSubject", "What would become of whom a response names.") = TestedSubject::ALL;
    RoleOriginName ("RoleOrigin", "Why somebody would hold roles.") = RoleOrigin::ALL;
    RefreshDeliveryName ("RefreshDelivery", "How refresh tokens travel: in the answer's body or as an `HttpOnly` cookie.") =
        [domain::application::RefreshDelivery::Json, domain::application::RefreshDelivery::Cookie];
}

fn strings(values: &[impl Serialize], description: &str) -> RefOr<Schema> {
    let values = values.iter().filter_map(|value| serde_json::to_value(value).ok());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(values))
        .build()
        .into()
}
