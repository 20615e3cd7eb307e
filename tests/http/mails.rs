//! Mail: from the outbox to the mail server, and what the operator sees of it.

use domain::language::Language;
use service::ports::Delivery;
use service::{Caller, TestMail};
use tests::app::TestApp;
use tests::both_engines;

fn test_mail(to: &str) -> TestMail {
    TestMail { to: to.to_owned().try_into().unwrap(), language: Language::Swedish, account_id: None }
}

both_engines! {
    /// Proves E4: a mail is sent once, after the change that it tells of.
    async fn a_mail_is_sent_once(db) {
        let app = TestApp::start(db).await;
        app.service.send_test_mail(&Caller::command_line(), test_mail("ann@x.test")).await.unwrap();
        assert!(app.world.mail_server().mailbox().is_empty(), "sent by the request itself");
        let mailbox = app.mailbox().await;
        assert_eq!(mailbox.last_to("ann@x.test").subject(), "Ett testmejl från Vestibule");
        assert_eq!(app.mailbox().await.len(), 1);
    }

    /// Proves E4: a mail server that fails delays, and nothing is lost.
    async fn a_failing_mail_server_delays(db) {
        let app = TestApp::start(db).await;
        app.world.mail_server().answer_next([Delivery::Unavailable("down".into())]);
        for to in ["ann@x.test", "bob@x.test"] {
            app.service.send_test_mail(&Caller::command_line(), test_mail(to)).await.unwrap();
        }
        assert!(app.mailbox().await.is_empty(), "went on with a server that cannot be used");
        assert_eq!(app.mailbox().await.len(), 2);
    }
}
