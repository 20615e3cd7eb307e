//! Every query finds its rows by index: none becomes slow because other accounts have much data.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use storage::{Engine, Query};
use tests::databases::database;

use crate::schema::queries;

/// Queries that read a whole table, because it is small for good: operators and signing keys are few.
const WHOLE_TABLE: [(&str, &str); 2] = [("operator_keys", "LIST"), ("signing_keys", "LIST_PUBLISHED")];

fn reads_by_index(module: &str, query: Query) -> bool {
    !WHOLE_TABLE.contains(&(module, query.name()))
}

/// Proves it for SQLite, whose plan says `SCAN` where a table or a whole index is read; a constant row is neither,
/// nor is the result of a part of the query, which the plan announces.
#[tokio::test]
async fn sqlite_finds_every_row_by_index() {
    let db = database(Engine::Sqlite).await;
    let mut connection = SqliteConnection::connect(&db.url).await.unwrap();
    for (module, query) in queries().filter(|(module, query)| reads_by_index(module, *query)) {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.sql()));
        let steps = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        let is_part = |name: &str| {
            steps.iter().any(|step| step == &format!("MATERIALIZE {name}") || step == &format!("CO-ROUTINE {name}"))
        };
        let is_constant = |name: &str| name == "CONSTANT ROW" || name.ends_with("-ROW VALUES CLAUSE");
        let scans = |step: &String| step.strip_prefix("SCAN ").is_some_and(|name| !is_constant(name) && !is_part(name));
        assert!(!steps.iter().any(scans), "{module}::{}: {steps:#?}", query.name());
    }
}

/// Proves it for PostgreSQL, which reads a whole table of the test's size only when it has no other way.
#[tokio::test]
async fn postgres_finds_every_row_by_index() {
    let db = database(Engine::Postgres).await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    let setup = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(setup).execute(&mut connection).await.unwrap();
    for (module, query) in queries().filter(|(module, query)| reads_by_index(module, *query)) {
        let plan = generic_plan(&mut connection, query).await;
        assert!(!plan.contains("Seq Scan"), "{module}::{}:\n{plan}", query.name());
    }
    connection.close().await.unwrap();
}

/// The plan of a query whatever its parameters are.
async fn generic_plan(connection: &mut PgConnection, query: Query) -> String {
    let run = async |connection: &mut PgConnection, sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
    };
    run(connection, format!("PREPARE explained AS {}", query.sql())).await;
    let types = "SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = 'explained'";
    let count: i32 = run(connection, types.to_owned()).await[0].get("count");
    let arguments = vec!["NULL"; usize::try_from(count).unwrap()].join(", ");
    let arguments = if count == 0 { String::new() } else { format!("({arguments})") };
    let lines = run(connection, format!("EXPLAIN EXECUTE explained{arguments}")).await;
    run(connection, "DEALLOCATE explained".to_owned()).await;
    lines.iter().map(|line| line.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}
