//! Readiness of a portal for SSO, and what to mend first (H2): looked at before a user fails to sign in.

use jiff::{SignedDuration, Timestamp};

use crate::UserId;
use crate::named::named;
use crate::portal::Portal;
use crate::sso::connection::{PinnedCertificate, SamlConnection};

/// Most users that a finding lists; its count tells how many there are.
pub const USERS_NAMED: usize = 20;
/// Days before a certificate's expiry in which a warning is given (C5).
const EXPIRY_WARNING_DAYS: i64 = 30;
/// A proof that is older than this proves little: passwords are forgotten, mailboxes closed.
const PROOF_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 90);

named! {
    /// Severity of a finding.
    Severity, SeverityError, "not a severity" {
        /// An error: users could not sign in.
        Error = "error",
        /// A warning: some users could not sign in, or soon.
        Warning = "warning",
        /// Information that needs no action.
        Info = "info",
    }
}

named! {
    /// Kind of a finding, by its code.
    FindingCode, FindingCodeError, "not a finding" {
        /// The portal has no connection.
        ConnectionMissing = "connection_missing",
        /// The connection is incomplete (C9).
        ConnectionIncomplete = "connection_incomplete",
        /// The connection is not enabled.
        ConnectionDisabled = "connection_disabled",
        /// None of its certificates is valid any more (C5).
        CertificateExpired = "certificate_expired",
        /// The last valid one expires soon.
        CertificateExpires = "certificate_expires",
        /// The identity provider does not answer (D3).
        IdpUnreachable = "idp_unreachable",
        /// Whether it answers could not be looked at.
        IdpUnknown = "idp_unknown",
        /// No test sign-in has succeeded (C9).
        NotTested = "not_tested",
        /// The connection was changed since its last test.
        TestOutdated = "test_outdated",
        /// No user could sign in when SSO does not work (A4).
        NoBreakGlassUser = "no_break_glass_user",
        /// A break-glass user has not signed in, nor drilled, for long.
        BreakGlassUnproven = "break_glass_unproven",
        /// A break-glass user has no address for codes and links.
        BreakGlassWithoutEmail = "break_glass_without_email",
        /// The last mail to a break-glass user was given up.
        BreakGlassMailFails = "break_glass_mail_fails",
        /// Active users who share an email: SSO lets none of them in (A2).
        EmailShared = "email_shared",
        /// Users without an email: SSO could not tell them.
        EmailMissing = "email_missing",
        /// Users whose email's domain is not on the connection's list (C3).
        DomainNotListed = "domain_not_listed",
        /// Users who hold no role, and would get none (C4).
        RoleMissing = "role_missing",
        /// Users who keep form login where SSO is required (B3).
        UsersExempt = "users_exempt",
    }
}

impl FindingCode {
    /// Severity that findings of this code have.
    pub const fn severity(self) -> Severity {
        match self {
            Self::ConnectionMissing
            | Self::ConnectionIncomplete
            | Self::ConnectionDisabled
            | Self::CertificateExpired
            | Self::IdpUnreachable
            | Self::NoBreakGlassUser
            | Self::EmailShared => Severity::Error,
            Self::CertificateExpires
            | Self::NotTested
            | Self::TestOutdated
            | Self::BreakGlassUnproven
            | Self::BreakGlassWithoutEmail
            | Self::BreakGlassMailFails
            | Self::EmailMissing
            | Self::DomainNotListed
            | Self::RoleMissing => Severity::Warning,
            Self::IdpUnknown | Self::UsersExempt => Severity::Info,
        }
    }
}

/// Whether the identity provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The identity provider answered, or is not to be asked.
    Fine,
    /// The identity provider did not answer.
    Unreachable,
    /// The identity provider could not be asked.
    Unknown,
}

/// The last test sign-in that would have let a user in (C9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tested {
    /// Whether the connection is still as it was tested.
    pub is_current: bool,
}

/// A break-glass user, and what proves that they get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// Identifier of the break-glass user.
    pub id: UserId,
    /// Time of their last sign-in by form login, or of their last drill.
    pub proven_at: Option<Timestamp>,
    /// Whether there is an address for their codes and links.
    pub has_email: bool,
    /// Whether the last mail there was given up.
    pub mail_fails: bool,
}

/// Facts that readiness is decided by.
#[derive(Debug, Clone, Copy)]
pub struct ReadinessFacts<'a> {
    /// Portal that is looked at.
    pub portal: Portal,
    /// Its connection; none where there is none.
    pub connection: Option<&'a SamlConnection>,
    /// Whether the identity provider answers.
    pub reach: Reach,
    /// The last successful test; none where there was none.
    pub tested: Option<Tested>,
    /// The account's break-glass users who are active.
    pub break_glass: &'a [BreakGlass],
    /// Users that SSO would leave outside, by kind, as they were counted.
    pub people: &'a [PeopleFound],
}

/// Users of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleFound {
    /// The finding that they are.
    pub code: FindingCode,
    /// The first of them, [`USERS_NAMED`] at most.
    pub users: Vec<UserId>,
    /// Number of users of this kind.
    pub count: usize,
}

/// Result that an owner should know of or mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Code of the finding.
    pub code: FindingCode,
    /// Users that it is about, [`USERS_NAMED`] of them at most.
    pub users: Vec<UserId>,
    /// Number of users that it is about.
    pub count: usize,
    /// Days until a certificate expires, where it is about one.
    pub days_left: Option<i64>,
}

impl Finding {
    fn of(code: FindingCode) -> Self {
        Self { code, users: vec![], count: 0, days_left: None }
    }

    fn of_people(found: &PeopleFound) -> Self {
        let PeopleFound { code, users, count } = found.clone();
        Self { users, count, ..Self::of(code) }
    }

    /// About these users; nothing where there are none.
    fn about(code: FindingCode, users: Vec<UserId>) -> Option<Self> {
        let count = users.len();
        let named = users.into_iter().take(USERS_NAMED).collect();
        (count > 0).then(|| Self { users: named, count, ..Self::of(code) })
    }
}

/// Everything that is to be mended or known, the connection first.
pub fn findings(facts: &ReadinessFacts<'_>, now: Timestamp) -> Vec<Finding> {
    let mut found = of_connection(facts, now);
    found.extend(of_break_glass(facts, now));
    found.extend(facts.people.iter().map(Finding::of_people));
    found
}

/// Whether nothing was found that would leave people outside.
pub fn is_ready(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.code.severity() != Severity::Error)
}

fn of_connection(facts: &ReadinessFacts<'_>, now: Timestamp) -> Vec<Finding> {
    let Some(connection) = facts.connection else { return vec![Finding::of(FindingCode::ConnectionMissing)] };
    let reach = match facts.reach {
        Reach::Fine => None,
        Reach::Unreachable => Some(FindingCode::IdpUnreachable),
        Reach::Unknown => Some(FindingCode::IdpUnknown),
    };
    let tested = match facts.tested {
        None => Some(FindingCode::NotTested),
        Some(Tested { is_current: false }) => Some(FindingCode::TestOutdated),
        Some(Tested { is_current: true }) => None,
    };
    let incomplete = (!connection.settings.missing(now).is_empty()).then_some(FindingCode::ConnectionIncomplete);
    let disabled = (!connection.mode.is_enabled()).then_some(FindingCode::ConnectionDisabled);
    let codes = [incomplete, disabled, reach, tested].into_iter().flatten().map(Finding::of);
    codes.chain(of_certificates(&connection.settings.certificates, now)).collect()
}

/// While one certificate is valid, the others may be old: that is how they are rolled over.
fn of_certificates(certificates: &[PinnedCertificate], now: Timestamp) -> Option<Finding> {
    let last = certificates.iter().map(|pinned| pinned.not_after).max()?;
    let days_left = last.duration_since(now).as_hours().div_euclid(24);
    let code = if last <= now { FindingCode::CertificateExpired } else { FindingCode::CertificateExpires };
    (days_left <= EXPIRY_WARNING_DAYS).then(|| Finding { days_left: Some(days_left), ..Finding::of(code) })
}

fn of_break_glass(facts: &ReadinessFacts<'_>, now: Timestamp) -> Vec<Finding> {
    if facts.break_glass.is_empty() {
        return vec![Finding::of(FindingCode::NoBreakGlassUser)];
    }
    let is_proven = |at: Timestamp| now.duration_since(at) <= PROOF_LIFETIME;
    let those = |wanted: &dyn Fn(&BreakGlass) -> bool| -> Vec<UserId> {
        facts.break_glass.iter().filter(|user| wanted(user)).map(|user| user.id).collect()
    };
    let unproven = those(&|user| !user.proven_at.is_some_and(is_proven));
    let found = [
        Finding::about(FindingCode::BreakGlassUnproven, unproven),
        Finding::about(FindingCode::BreakGlassWithoutEmail, those(&|user| !user.has_email)),
        Finding::about(FindingCode::BreakGlassMailFails, those(&|user| user.mail_fails)),
    ];
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::{Role, RoleSet};
    use crate::sso::connection::Provisioning;
    use crate::sso::discovery::tests::{connection, user};
    use crate::user::UserStatus;

    fn at(days: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days)
    }

    fn ready() -> SamlConnection {
        let mut ready = connection(Provisioning::JustInTime, &[]);
        ready.settings.idp_entity_id = Some("https://idp.test".to_owned());
        ready.settings.login_url = Some("https://idp.test/sso".parse().unwrap());
        ready.settings.default_roles = RoleSet::from([Role::OrganizationMember]);
        ready.settings.certificates = vec![PinnedCertificate {
            pem: String::new(),
            sha256_fingerprint: String::new(),
            subject: String::new(),
            key: String::new(),
            not_before: at(0),
            not_after: at(100),
        }];
        ready
    }

    fn guard(proven_at: Option<Timestamp>) -> BreakGlass {
        let id = user(1, "root", None, UserStatus::Active).id;
        BreakGlass { id, proven_at, has_email: true, mail_fails: false }
    }

    fn codes(facts: &ReadinessFacts<'_>, now: Timestamp) -> Vec<&'static str> {
        findings(facts, now).iter().map(|finding| finding.code.as_str()).collect()
    }

    /// Proves H2, A4, C5, C9: a portal that lacks nothing is ready, and each thing that it may lack is found by its
    /// name.
    #[test]
    fn whatever_is_wrong_is_found_before_anyone_fails() {
        let (connection, guards) = (ready(), [guard(Some(at(1)))]);
        let fine = ReadinessFacts {
            portal: Portal::Admin,
            connection: Some(&connection),
            reach: Reach::Fine,
            tested: Some(Tested { is_current: true }),
            break_glass: &guards,
            people: &[],
        };
        assert_eq!(codes(&fine, at(1)), Vec::<&str>::new());
        assert!(is_ready(&findings(&fine, at(1))));
        assert_eq!(codes(&fine, at(75)), ["certificate_expires"]);
        assert_eq!(codes(&fine, at(100)), ["certificate_expired", "break_glass_unproven"]);
        let none = ReadinessFacts { connection: None, break_glass: &[], ..fine };
        assert_eq!(codes(&none, at(1)), ["connection_missing", "no_break_glass_user"]);
        assert!(!is_ready(&findings(&none, at(1))));
        let untried = ReadinessFacts { reach: Reach::Unreachable, tested: None, ..fine };
        assert_eq!(codes(&untried, at(1)), ["idp_unreachable", "not_tested"]);
        let lost = [BreakGlass { has_email: false, mail_fails: true, ..guard(None) }];
        let wanted = ["break_glass_unproven", "break_glass_without_email", "break_glass_mail_fails"];
        assert_eq!(codes(&ReadinessFacts { break_glass: &lost, ..fine }, at(1)), wanted);
    }

    /// Proves H2: what was counted is told with its number and those who are named, and only what matters keeps a
    /// portal from being ready.
    #[test]
    fn whom_sso_would_leave_outside_is_told_with_their_number() {
        let (connection, guards) = (ready(), [guard(Some(at(1)))]);
        let found = |code| PeopleFound { code, users: vec![guards[0].id], count: 50_000 };
        for (code, is_fine) in [(FindingCode::EmailShared, false), (FindingCode::RoleMissing, true)] {
            let people = [found(code)];
            let facts = ReadinessFacts {
                portal: Portal::Admin,
                connection: Some(&connection),
                reach: Reach::Fine,
                tested: Some(Tested { is_current: true }),
                break_glass: &guards,
                people: &people,
            };
            let told = findings(&facts, at(1));
            assert_eq!(told.iter().map(|one| (one.code, one.count)).collect::<Vec<_>>(), [(code, 50_000)]);
            assert_eq!((told[0].users.as_slice(), is_ready(&told)), ([guards[0].id].as_slice(), is_fine));
        }
    }
}
