//! Commands of Redis as spans.
#![cfg(feature = "redis")]

mod blocking;

use backtrail::redis::traced;
use backtrail::testing::Recorder;
use backtrail::{create_span, in_span};
use redis::aio::ConnectionLike;
use redis::{
    AsyncCommands as _, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value, cmd, pipe,
};

/// A connection that answers what it was told to answer.
#[derive(Default)]
struct Fake {
    answers: Vec<Result<Value, RedisError>>,
    asked: Vec<Vec<u8>>,
}

impl Fake {
    fn answering(answers: impl IntoIterator<Item = Result<Value, RedisError>>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self {
            answers,
            asked: Vec::new(),
        }
    }
}

impl ConnectionLike for Fake {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            self.asked.push(cmd.get_packed_command());
            tokio::task::yield_now().await;
            self.answers.pop().unwrap_or(Ok(Value::Okay))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        _offset: usize,
        _count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            self.asked.push(pipeline.get_packed_pipeline());
            Ok(vec![self.answers.pop().unwrap_or(Ok(Value::Okay))?])
        })
    }

    fn get_db(&self) -> i64 {
        3
    }
}

/// What the server sent, as the client reads it.
fn answer(line: &str) -> Value {
    redis::parse_redis_value(line.as_bytes()).expect("an answer")
}

#[tokio::test]
async fn a_command_is_a_client_span_without_its_arguments() {
    let traces = Recorder::new();
    let mut cache = traced(Fake::default()).server("cache", 6379);
    traces
        .run(async {
            in_span("outer", (), async |_| {
                cache.set::<_, _, ()>("user:zoe", "secret").await
            })
            .await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree(),
        "outer\n└ SET [client] db.system.name=redis server.address=cache server.port=6379 db.namespace=3 \
         db.operation.name=SET db.query.text=SET ? ?\n"
    );
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("zoe") && !told.contains("secret"), "{told}");
    assert_eq!(cache.get_db(), 3);
    assert_eq!(
        String::from_utf8(cache.into_inner().asked.remove(0)).unwrap(),
        "*3\r\n$3\r\nSET\r\n$8\r\nuser:zoe\r\n$6\r\nsecret\r\n"
    );
}

#[tokio::test]
async fn keys_are_shown_on_request() {
    let traces = Recorder::new();
    let mut cache = traced(Fake::default()).show_keys(true);
    traces
        .run(
            cmd("SET")
                .arg("user:7")
                .arg("secret")
                .exec_async(&mut cache),
        )
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&["db.query.text"]),
        "SET [client] db.query.text=SET user:7 ?\n"
    );
}

#[tokio::test]
async fn a_pipeline_is_one_span() {
    let traces = Recorder::new();
    let mut cache = traced(Fake::answering([
        Ok(Value::Okay),
        Ok(Value::Array(vec![Value::Okay, Value::Okay])),
        Ok(answer(
            "-ERR unknown command 'FOO', with args beginning with: 'secret'\r\n",
        )),
    ]));
    traces
        .run(async {
            pipe().set("a", 1).exec_async(&mut cache).await?;
            pipe()
                .atomic()
                .set("a", 1)
                .incr("b", 2)
                .exec_async(&mut cache)
                .await?;
            pipe()
                .cmd("FOO")
                .arg("secret")
                .get("b")
                .exec_async(&mut cache)
                .await
        })
        .await
        .unwrap_err();
    assert_eq!(
        traces.tree_of(&["db.operation.batch.size", "error.type"]),
        "PIPELINE [client]\n\
         MULTI [client] db.operation.batch.size=2\n\
         PIPELINE [client] error `unknown command '?', with args beginning with: '?'` db.operation.batch.size=2 error.type=ERR\n  · exception\n"
    );
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn errors_have_the_servers_code() {
    let traces = Recorder::new();
    let mut cache = traced(Fake::answering([
        Ok(answer(
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        )),
        Err(RedisError::from((ErrorKind::Io, "broken pipe"))),
    ]));
    traces
        .run(async {
            cache.get::<_, Option<u8>>("a").await.unwrap_err();
            cache.get::<_, Option<u8>>("a").await.unwrap_err();
        })
        .await;
    assert_eq!(
        traces.tree_of(&["db.response.status_code", "error.type"]),
        "GET [client] error `Operation against a key holding the wrong kind of value` db.response.status_code=WRONGTYPE error.type=WRONGTYPE\n  · exception\n\
         GET [client] error `broken pipe - Io` error.type=io\n  · exception\n"
    );
}

#[tokio::test]
async fn an_error_that_a_span_around_the_command_records_tells_no_argument() {
    let traces = Recorder::new();
    let refusal = answer("-ERR unknown command 'FOO', with args beginning with: 'secret'\r\n");
    let mut cache = traced(Fake::answering([Ok(refusal)]));
    traces
        .run(async {
            create_span("warm up", (), async |_| {
                cmd("FOO").arg("secret").exec_async(&mut cache).await
            })
            .await
        })
        .await
        .unwrap_err();
    let spans = format!("{:?}", traces.spans());
    assert!(
        spans.contains("warm up") && !spans.contains("secret"),
        "{spans}"
    );
}

#[tokio::test]
async fn what_is_switched_off_runs_without_a_span() {
    let traces = Recorder::with(|system| system.disable("redis"));
    let mut cache = traced(Fake::default());
    traces
        .run(cmd("PING").exec_async(&mut cache))
        .await
        .unwrap();
    assert_eq!(traces.tree(), "");
    assert_eq!(cache.into_inner().asked.len(), 1);
}
