//! The outbox, and how accounts' mails look.

use domain::MailId;
use domain::branding::{AccentColor, Branding, BrandingSettings, LogoUrl};
use domain::email::Email;
use domain::mail::delivery::Settlement;
use domain::mail::{Mail, MailKind, MailState};
use storage::outbox::{self, MailFilter};
use storage::{Page, StorageError, branding};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{at, label, mail, stored_account, tenant};

fn settlement(state: MailState, keeps_message: bool) -> Settlement {
    Settlement {
        state,
        attempts: 1,
        due_at: None,
        last_error: Some("550 nö".to_owned()),
        settled_at: Some(at(9)),
        keeps_message,
    }
}

fn ids(mails: &[Mail]) -> Vec<MailId> {
    mails.iter().map(|mail| mail.id).collect()
}

/// Proves E4: a mail reads back; what is due comes in the order of its time, and what a person waits for apart.
#[both_engines]
async fn a_mail_reads_back_when_it_is_due(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let invitation = mail(Some(account.id), MailKind::Invitation);
    let later = Mail { due_at: Some(at(5)), expires_at: None, ..mail(None, MailKind::Invitation) };
    let code = mail(Some(account.id), MailKind::MfaCode);
    outbox::insert_all(&mut tx, &[later.clone(), invitation.clone(), code.clone()]).await.unwrap();
    assert_eq!(outbox::by_id(&mut tx, invitation.id).await.unwrap(), Some(invitation.clone()));
    assert_eq!(outbox::by_id(&mut tx, later.id).await.unwrap(), Some(later.clone()));
    assert_eq!(outbox::due(&mut tx, false, at(4), 9).await.unwrap(), std::slice::from_ref(&invitation));
    assert_eq!(ids(&outbox::due(&mut tx, false, at(5), 9).await.unwrap()), [invitation.id, later.id]);
    assert_eq!(ids(&outbox::due(&mut tx, false, at(5), 1).await.unwrap()), [invitation.id]);
    assert_eq!(ids(&outbox::due(&mut tx, true, at(5), 9).await.unwrap()), [code.id]);
}

/// Proves E4: the accounts take turns, so the many mails of one do not keep another's waiting, nor the
/// installation's own.
#[both_engines]
async fn accounts_take_turns(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let (busy, quiet) = (stored_account(&mut tx, "busy").await.id, stored_account(&mut tx, "quiet").await.id);
    let due = |account, second| Mail { due_at: Some(at(second)), ..mail(account, MailKind::Invitation) };
    let many: Vec<Mail> = (0..600).map(|n| due(Some(busy), n)).collect();
    let few = [due(Some(quiet), 700), due(None, 800), due(Some(quiet), 900)];
    outbox::insert_all(&mut tx, &[many.as_slice(), &few].concat()).await.unwrap();
    let first = outbox::due(&mut tx, false, at(1_000), 6).await.unwrap();
    assert_eq!(ids(&first), [many[0].id, few[0].id, few[1].id, many[1].id, few[2].id, many[2].id]);
    assert_eq!(outbox::due(&mut tx, false, at(1_000), 1_000).await.unwrap().len(), 603);
    assert_eq!(ids(&outbox::due(&mut tx, false, at(700), 2).await.unwrap()), [many[0].id, few[0].id]);
}

/// Proves E4: who takes a mail holds it alone until the lease ends, and a settled one is due no more and bare of its
/// secrets.
#[both_engines]
async fn a_mail_is_taken_once_and_settled_by_its_holder(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let one = mail(None, MailKind::Invitation);
    outbox::insert_all(tx, std::slice::from_ref(&one)).await.unwrap();
    assert!(outbox::take(tx, &one, at(60)).await.unwrap());
    assert!(!outbox::take(tx, &one, at(60)).await.unwrap(), "taken twice");
    assert!(outbox::due(tx, false, at(59), 9).await.unwrap().is_empty());
    let lost = outbox::due(tx, false, at(60), 9).await.unwrap().remove(0);
    assert_eq!((lost.state, lost.attempts), (MailState::Sending, 1));
    assert!(outbox::take(tx, &lost, at(120)).await.unwrap());
    let delivered = settlement(MailState::Delivered, false);
    assert!(!outbox::settle(tx, one.id, at(60), &delivered).await.unwrap(), "settled without holding it");
    assert!(!outbox::delete(tx, one.id).await.unwrap(), "removed while it is sent");
    assert!(outbox::settle(tx, one.id, at(120), &delivered).await.unwrap());
    let settled = outbox::by_id(tx, one.id).await.unwrap().unwrap();
    assert_eq!((settled.state, settled.sealed_message, settled.due_at), (MailState::Delivered, None, None));
    assert!(!outbox::requeue(tx, one.id, at(200)).await.unwrap());
    assert!(outbox::delete(tx, one.id).await.unwrap());
}

/// Proves E4: a mail that was given up is tried again on request, as long as its message is there.
#[both_engines]
async fn a_dead_mail_is_requeued_with_its_message(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let (kept, erased) = (mail(None, MailKind::Invitation), mail(None, MailKind::Invitation));
    outbox::insert_all(tx, &[kept.clone(), erased.clone()]).await.unwrap();
    for (one, keeps) in [(&kept, true), (&erased, false)] {
        assert!(outbox::settle(tx, one.id, at(0), &settlement(MailState::Dead, keeps)).await.unwrap());
    }
    assert_eq!(outbox::count(tx, MailState::Dead).await.unwrap(), 2);
    let dead = MailFilter { state: Some(MailState::Dead) };
    let listed = outbox::list(tx, &dead, &Page::first(1)).await.unwrap();
    assert_eq!((ids(&listed.items), listed.next), (vec![erased.id], Some(erased.id.as_uuid())));
    assert!(outbox::requeue(tx, kept.id, at(10)).await.unwrap());
    assert!(!outbox::requeue(tx, erased.id, at(10)).await.unwrap());
    let again = outbox::due(tx, false, at(10), 9).await.unwrap().remove(0);
    let wanted = Mail { due_at: Some(at(10)), last_error: Some("550 nö".to_owned()), ..kept };
    assert_eq!(again, wanted);
    assert_eq!(outbox::list(tx, &MailFilter::default(), &Page::first(9)).await.unwrap().items.len(), 2);
}

/// Proves A5, E4: branding reads back for its own account alone, and is changed by the caller who saw it last.
#[both_engines]
async fn branding_belongs_to_its_account(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await.account, tenant(&db.store, "other").await.account);
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let settings = BrandingSettings {
        brand_name: Some(label("Åkes Bil")),
        logo_url: Some(LogoUrl::parse("https://a.example/l.png").unwrap()),
        accent_color: Some(AccentColor::parse("#112233").unwrap()),
        support_contact: Some(label("+46 8 123")),
        sender_name: None,
        reply_to: Some(Email::parse("help@a.example").unwrap()),
    };
    let first = Branding { account_id: own.id, settings: settings.clone(), updated_at: at(1) };
    branding::insert(tx, &first).await.unwrap();
    assert!(matches!(branding::insert(tx, &first).await, Err(StorageError::Stale)));
    assert_eq!(branding::by_account(tx, own.id).await.unwrap(), Some(first.clone()));
    assert_eq!(branding::by_account(tx, other.id).await.unwrap(), None);
    let (name, chosen) = branding::with_display_name(tx, own.id).await.unwrap().unwrap();
    assert_eq!((name, chosen), (own.display_name, Some(settings)));
    assert_eq!(branding::with_display_name(tx, other.id).await.unwrap().unwrap().1, None);
    let second = Branding { settings: BrandingSettings::default(), updated_at: at(2), ..first };
    assert!(matches!(branding::update(tx, &second, at(7)).await, Err(StorageError::Stale)));
    branding::update(tx, &second, at(1)).await.unwrap();
    assert_eq!(branding::by_account(tx, own.id).await.unwrap(), Some(second));
}
