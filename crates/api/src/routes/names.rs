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
    CodeChallengeMethodName ("CodeChallengeMethod", "Method by which a challenge was made (RFC 7636, section 4.2).") = ["S256"];
    PortalName ("Portal", "Part of an account with its own directory and frontends.") = Portal::ALL;
    RoleName ("Role", "An account-wide permission of an `admin` user.") = Role::ALL;
    UserStatusName ("UserStatus", "State of a user in their directory.") = UserStatus::ALL;
    ApiKeyScopeName ("ApiKeyScope", "Permission of an API key.") = ApiKeyScope::ALL;
    LanguageName ("Language", "A language that people are written to in (RFC 5646).") = Language::ALL;
    SignInMethodName ("SignInMethod", "Method by which a user signed in.") = SignInMethod::ALL;
    InvitationStateName ("InvitationState", "State of an invitation, as of now.") = InvitationState::ALL;
    AcceptByName ("AcceptBy", "Way in which an invited user comes in: by a link that sets a password, through SSO, or by magic link.") =
        AcceptBy::ALL;
    MailKindName ("MailKind", "Kind of a mail, which decides its template.") = MailKind::ALL;
    MailStateName ("MailState", "State of a mail in the outbox.") = MailState::ALL;
    SsoModeName ("SsoMode", "Use that a portal makes of its connection.") = [SsoMode::Off, SsoMode::Optional, SsoMode::Required];
    RequestBindingName ("RequestBinding", "Binding by which requests travel to the identity provider.") =
        [RequestBinding::HttpRedirect, RequestBinding::HttpPost];
    UsernameSourceName ("UsernameSource", "Part of the assertion that the username is read from.") = [UsernameSource::Attribute, UsernameSource::NameId];
    ProvisioningName ("Provisioning", "Treatment of an asserted username that no user has.") =
        [Provisioning::JustInTime, Provisioning::InvitedOnly];
    MigrationDirectionName ("SsoMigrationDirection", "Direction of a migration: SSO becomes required, or that is put back.") =
        Direction::ALL;
    MigrationStateName ("SsoMigrationState", "State of a migration, as of now.") = MigrationState::ALL;
    OwnerInvitationStateName ("OwnerInvitationState", "State of the invitation of an account's first owner.") = OwnerInvitationState::ALL;
    OwnerInvitationBlockName ("OwnerInvitationBlock", "Setting that the mail to an account's first owner waits for.") = OwnerInvitationBlock::ALL;
    MigrationActionName ("SsoMigrationAction", "Effect of a migration on a user.") = ActionName::ALL;
    MigrationChoiceName ("SsoMigrationChoice", "Decision that an owner may take about a user.") = Choice::ALL;
    MigrationBlockerName ("SsoMigrationBlocker", "Obstacle that keeps a plan from being signed off.") = Blocker::ALL;
    KeepReasonName ("KeepReason", "Reason for which a user stays as they are.") = KeepReason::ALL;
    DuplicateRuleName ("DuplicateRule", "The first rule by which one of two duplicates stays.") = DuplicateRule::ALL;
    SeverityName ("Severity", "Severity of a finding of the readiness check.") = Severity::ALL;
    FindingCodeName ("ReadinessFindingCode", "Finding of the readiness check, by its stable code.") = FindingCode::ALL;
    ConflictKindName ("ConflictKind", "Kind of a conflict that an owner must decide.") = ConflictKind::ALL;
    AttemptKindName ("AttemptKind", "Way in which a sign-in attempt began.") = AttemptKind::ALL;
    AttemptStageName ("AttemptStage", "Stage that a sign-in attempt has reached.") = AttemptStage::ALL;
    AttemptOutcomeName ("AttemptOutcome", "Outcome of a sign-in attempt so far.") = AttemptOutcome::ALL;
    AccountRelationName ("AccountRelation", "Relation of another account to this one.") = AccountRelation::ALL;
    LinkStateName ("LinkState", "State of a link between accounts, as one of them sees it.") = LinkState::ALL;
    PairStateName ("PairState", "State of a pair of users.") = PairState::ALL;
    CheckStateName ("CheckState", "Result of a check of a test sign-in.") = CheckState::ALL;
    TestedSubjectName ("TestedSubject", "Effect that a sign-in would have on the user that a response names.") = TestedSubject::ALL;
    RoleOriginName ("RoleOrigin", "Origin of the roles that a user would hold.") = RoleOrigin::ALL;
    RefreshDeliveryName ("RefreshDelivery", "Transport of refresh tokens: in the answer's body, or as an `HttpOnly` cookie.") =
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
