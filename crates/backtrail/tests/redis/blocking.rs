//! Connections that are not asynchronous.

use backtrail::redis::traced;
use backtrail::testing::Recorder;
use backtrail::{current_span, in_span_sync};
use redis::{Commands as _, ConnectionLike, ErrorKind, RedisError, RedisResult, Value, cmd, pipe};

use crate::answer;

/// A connection that answers what it was told to answer.
#[derive(Default)]
struct Fake {
    answers: Vec<RedisResult<Value>>,
    asked: Vec<Vec<u8>>,
}

impl Fake {
    fn answering<const N: usize>(mut answers: [RedisResult<Value>; N]) -> Self {
        answers.reverse();
        Self {
            answers: answers.into(),
            asked: Vec::new(),
        }
    }
}

impl ConnectionLike for Fake {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.asked.push(cmd.to_vec());
        self.answers.pop().unwrap_or(Ok(Value::Okay))
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        _offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.asked.push(cmd.to_vec());
        let one = self.answers.pop().unwrap_or(Ok(Value::Okay))?;
        Ok(vec![one; count])
    }

    fn get_db(&self) -> i64 {
        3
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

#[test]
fn a_command_of_a_blocking_connection_is_a_client_span_without_its_arguments() {
    let traces = Recorder::new();
    let mut cache = traced(Fake::default()).server("cache", 6379);
    traces
        .run_sync(|| {
            in_span_sync("outer", (), |_| {
                cache.set::<_, _, ()>("user:zoe", "secret")?;
                // As the client's own iterators do.
                cache.req_packed_command(&cmd("GET").arg("user:zoe").get_packed_command())
            })
        })
        .unwrap();
    assert_eq!(
        traces.tree(),
        "outer\n\
         ├ SET [client] db.system.name=redis server.address=cache server.port=6379 db.namespace=3 \
         db.operation.name=SET db.query.text=SET ? ?\n\
         └ GET [client] db.system.name=redis server.address=cache server.port=6379 db.namespace=3 \
         db.operation.name=GET db.query.text=GET ?\n"
    );
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("zoe") && !told.contains("secret"), "{told}");
    assert!(cache.is_open() && cache.check_connection() && cache.supports_pipelining());
    assert_eq!(
        String::from_utf8(cache.into_inner().asked.remove(0)).unwrap(),
        "*3\r\n$3\r\nSET\r\n$8\r\nuser:zoe\r\n$6\r\nsecret\r\n"
    );
}

#[test]
fn a_pipeline_of_a_blocking_connection_is_one_span() {
    let traces = Recorder::new();
    let transaction = Value::Array(vec![Value::Okay, Value::Okay]);
    let mut cache = traced(Fake::answering([
        Ok(Value::Okay),
        Ok(transaction),
        Ok(answer(
            "-ERR unknown command 'FOO', with args beginning with: 'secret'\r\n",
        )),
    ]))
    .show_keys(true);
    traces
        .run_sync(|| {
            pipe().set("a", 1).exec(&mut cache)?;
            pipe().atomic().set("a", 1).incr("b", 2).exec(&mut cache)?;
            pipe().cmd("FOO").arg("secret").get("b").exec(&mut cache)
        })
        .unwrap_err();
    assert_eq!(
        traces.tree_of(&["db.query.text", "db.operation.batch.size", "error.type"]),
        "PIPELINE [client] db.query.text=SET a ?\n\
         MULTI [client] db.query.text=SET a ? db.operation.batch.size=2\n\
         PIPELINE [client] error `unknown command '?', with args beginning with: '?'` db.query.text=FOO ? \
         db.operation.batch.size=2 error.type=ERR\n  · exception\n"
    );
    // A tree shows first lines.
    let told = format!("{:?}", traces.spans());
    assert!(
        told.contains(r"SET a ?\nINCRBY b ?") && told.contains(r"FOO ?\nGET b"),
        "{told}"
    );
    assert!(!told.contains("secret") && !told.contains("EXEC"), "{told}");
}

#[test]
fn errors_of_a_blocking_connection_have_the_servers_code() {
    let traces = Recorder::new();
    let mut cache = traced(Fake::answering([
        Ok(answer(
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        )),
        Err(RedisError::from((ErrorKind::Io, "broken pipe"))),
    ]));
    traces.run_sync(|| {
        cache.get::<_, Option<u8>>("a").unwrap_err();
        cache.get::<_, Option<u8>>("a").unwrap_err();
    });
    assert_eq!(
        traces.tree_of(&["db.response.status_code", "error.type"]),
        "GET [client] error `Operation against a key holding the wrong kind of value` db.response.status_code=WRONGTYPE error.type=WRONGTYPE\n  · exception\n\
         GET [client] error `broken pipe - Io` error.type=io\n  · exception\n"
    );
}

#[test]
fn a_blocking_connection_runs_without_spans_where_redis_is_switched_off() {
    let traces = Recorder::with(|system| system.disable("redis"));
    let mut cache = traced(Fake::default());
    traces.run_sync(|| {
        in_span_sync("outer", (), |outer| {
            cmd("PING").exec(&mut cache).unwrap();
            pipe().get("a").exec(&mut cache).unwrap();
            assert_eq!(current_span().span_id(), outer.span_id());
        });
    });
    assert_eq!(traces.tree(), "outer\n");
    assert_eq!(cache.into_inner().asked.len(), 2);
}
