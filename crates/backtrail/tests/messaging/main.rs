//! Messages as spans: what is sent is found where it is processed.

use std::collections::HashMap;
use std::io;

use backtrail::messaging::{Consumer, Headers, Producer, Received};
use backtrail::testing::Recorder;
use backtrail::{Context, KeyValue, Status, current_span, in_span, in_span_sync};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry_sdk::trace::SpanData;

type Message = HashMap<String, String>;

fn orders() -> (Producer, Consumer) {
    (
        Producer::new("kafka", "orders").server("broker", 9092),
        Consumer::new("kafka", "orders").group("billing"),
    )
}

fn send(producer: &Producer) -> Message {
    let mut headers = Message::new();
    producer
        .send(&mut headers)
        .run_sync(|_| Ok::<_, io::Error>(()))
        .expect("it is Ok");
    headers
}

/// Batches are exported beside each other, so that the order of spans says nothing.
fn named<'s>(spans: &'s [SpanData], name: &str) -> &'s SpanData {
    spans
        .iter()
        .find(|span| span.name == name)
        .expect("a span with this name")
}

#[tokio::test]
async fn a_message_that_is_processed_links_to_what_sent_it() {
    let traces = Recorder::new();
    let (producer, consumer) = orders();
    let mut kafka: Vec<(String, Vec<u8>)> = Vec::new();
    traces
        .run(async {
            in_span("request", (), async |_| {
                let sending = producer.send(&mut kafka);
                sending
                    .run(async move |span| {
                        span.set("messaging.message.id", "m1");
                        tokio::task::yield_now().await;
                        Ok::<_, io::Error>(())
                    })
                    .await
            })
            .await
            .unwrap();
            let message = kafka;
            let processing = consumer.process(&message);
            processing
                .run(async move |span| {
                    assert_eq!(current_span().span_id(), span.span_id());
                    drop(message);
                    Err::<(), _>("no such order")
                })
                .await
                .unwrap_err();
        })
        .await;
    let spans = traces.spans();
    let (sent, request, processed) = (
        named(&spans, "send orders"),
        named(&spans, "request"),
        named(&spans, "process orders"),
    );
    assert_eq!(
        traces.tree_without(&["exception.stacktrace"]),
        format!(
            "request\n\
             └ send orders [producer] messaging.system=kafka messaging.destination.name=orders server.address=broker server.port=9092 \
             messaging.operation.type=send messaging.operation.name=send messaging.message.id=m1\n\
             process orders [consumer] error `no such order` messaging.system=kafka messaging.destination.name=orders \
             messaging.consumer.group.name=billing messaging.operation.type=process messaging.operation.name=process error.type=error → {}\n  \
             · exception exception.type=error exception.message=no such order\n",
            sent.span_context.span_id()
        )
    );
    assert_eq!(
        sent.span_context.trace_id(),
        request.span_context.trace_id()
    );
    let link = &processed.links.links[0].span_context;
    assert_eq!(link.trace_id(), sent.span_context.trace_id());
    assert_ne!(
        processed.span_context.trace_id(),
        sent.span_context.trace_id()
    );
}

#[test]
fn a_message_may_be_processed_in_the_trace_that_sent_it() {
    let traces = Recorder::new();
    let (producer, consumer) = orders();
    traces.run_sync(|| {
        let headers = send(&producer);
        in_span_sync("poll", (), |_| {
            consumer
                .as_child(true)
                .process(&headers)
                .run_sync(|_| Ok::<_, io::Error>(()))
        })
        .unwrap();
    });
    assert_eq!(
        traces.tree_of(&[]),
        "send orders [producer]\n└ process orders [consumer] (parent elsewhere)\npoll\n"
    );
}

#[test]
fn a_linked_span_is_below_the_current_one_and_has_the_messages_baggage() {
    let traces = Recorder::new();
    let (producer, consumer) = orders();
    traces.run_sync(|| {
        let headers = {
            let context = Context::current().with_baggage([KeyValue::new("tenant", "t1")]);
            let _entered = context.attach();
            send(&producer)
        };
        assert!(headers.contains_key("baggage"), "{headers:?}");
        in_span_sync("poll", (), |_| {
            consumer.process(&headers).run_sync(|_| {
                let tenant = Context::current().baggage().get("tenant").cloned();
                assert_eq!(tenant, Some("t1".into()));
                Ok::<_, io::Error>(())
            })
        })
        .unwrap();
        // Without headers there is nobody to link to.
        consumer
            .process(&Message::new())
            .run_sync(|_| Ok::<_, io::Error>(()))
            .unwrap();
    });
    let spans = traces.spans();
    let sent = named(&spans, "send orders").span_context.span_id();
    assert_eq!(
        traces.tree_of(&[]),
        format!(
            "send orders [producer]\npoll\n└ process orders [consumer] → {sent}\nprocess orders [consumer]\n"
        )
    );
}

#[test]
fn a_batch_is_one_span_with_a_link_for_each_message() {
    let traces = Recorder::new();
    let (producer, consumer) = orders();
    traces.run_sync(|| {
        let mut out = vec![Message::new(), Message::new()];
        producer
            .send_batch(&mut out)
            .run_sync(|_| Ok::<_, io::Error>(()))
            .unwrap();
        assert_eq!(out[0].value("traceparent"), out[1].value("traceparent"));
        let mut messages: Vec<Message> = (0..130).map(|_| send(&producer)).collect();
        messages[3].clear();
        consumer
            .process_batch(&messages)
            .run_sync(|_| Ok::<_, io::Error>(()))
            .unwrap();
    });
    let spans = traces.spans();
    let tree = traces.tree_of(&[
        "messaging.batch.message_count",
        "messaging.batch.unlinked_count",
    ]);
    assert!(
        tree.starts_with(
            "send orders [producer] messaging.batch.message_count=2\nsend orders [producer]\n"
        ),
        "{tree}"
    );
    let (last, _) = tree.lines().last().unwrap().split_once(" → ").unwrap();
    assert_eq!(
        last,
        "process orders [consumer] messaging.batch.message_count=130 messaging.batch.unlinked_count=2"
    );
    let batch = named(&spans, "process orders");
    assert_eq!(batch.links.links.len(), 127, "one has no headers");
}

#[tokio::test]
async fn messages_that_are_asked_for_are_received_in_a_client_span_with_links_to_what_sent_them() {
    let traces = Recorder::new();
    let (producer, consumer) = orders();
    let consumer = consumer.server("broker", 9092);
    traces
        .run(async {
            let messages: Vec<Message> = vec![send(&producer), Message::new(), send(&producer)];
            let receiving = in_span_sync("loop", (), |_| consumer.receive());
            let received = receiving.run(async |received| {
                tokio::task::yield_now().await;
                assert_eq!(current_span().span_id(), received.span().span_id());
                received.messages(&messages);
                Ok::<_, io::Error>(messages.len())
            });
            assert_eq!(received.await.unwrap(), 3);
        })
        .await;
    let spans = traces.spans();
    let links = spans.iter().filter(|span| span.name == "send orders");
    let links: Vec<_> = links
        .map(|span| span.span_context.span_id().to_string())
        .collect();
    let links = links.join(" → ");
    let tree = traces.tree();
    let expected = format!(
        "loop\n\
         └ receive orders [client] messaging.system=kafka messaging.destination.name=orders messaging.consumer.group.name=billing \
         server.address=broker server.port=9092 messaging.operation.type=receive messaging.operation.name=receive \
         messaging.batch.message_count=3 → {links}\n"
    );
    assert!(tree.ends_with(&expected), "{tree} and not {expected}");
}

#[test]
fn one_message_that_is_asked_for_is_no_batch_and_many_are_linked_as_far_as_the_bound_goes() {
    let traces = Recorder::new();
    let (producer, consumer) = orders();
    traces.run_sync(|| {
        let one = send(&producer);
        let many = vec![one.clone(); 130];
        let run = |tell: &dyn Fn(&Received)| {
            consumer.receive().run_sync(|received| {
                tell(&received);
                Ok::<_, io::Error>(())
            })
        };
        run(&|received| received.message(&one)).unwrap();
        run(&|received| received.messages(&many)).unwrap();
        run(&|received| received.messages(&Vec::<Message>::new())).unwrap();
        let failed = consumer.receive();
        failed
            .run_sync(|_| Err::<(), _>("broken pipe"))
            .unwrap_err();
    });
    let mut told = Vec::new();
    for span in traces.spans() {
        if span.name == "receive orders" {
            let counts = span.attributes.iter();
            let counts = counts.filter(|each| each.key.as_str().starts_with("messaging.batch."));
            let counts: Vec<_> = counts.map(|each| each.value.to_string()).collect();
            told.push((span.links.links.len(), counts.join("+"), span.status));
        }
    }
    assert_eq!(
        told,
        [
            (1, String::new(), Status::Unset),
            (128, "130+2".to_owned(), Status::Unset),
            (0, "0".to_owned(), Status::Unset),
            (0, String::new(), Status::error("broken pipe")),
        ]
    );
}

#[test]
fn a_context_goes_through_what_is_switched_off() {
    let traces = Recorder::with(|system| system.disable("messaging"));
    let (producer, consumer) = orders();
    traces.run_sync(|| {
        let headers = in_span_sync("request", (), |_| send(&producer));
        consumer
            .clone()
            .as_child(true)
            .process(&headers)
            .run_sync(|span| {
                span.set("not", "here");
                in_span_sync("work", (), |_| Ok::<_, io::Error>(()))
            })
            .unwrap();
        let received = consumer.receive().run_sync(|received| {
            received.messages([&headers]);
            Ok::<_, io::Error>(1)
        });
        assert_eq!(received.unwrap(), 1);
    });
    assert_eq!(traces.tree(), "request\n└ work (parent elsewhere)\n");
}

#[test]
fn without_a_system_messages_are_sent_all_the_same() {
    let (producer, consumer) = orders();
    let headers = send(&producer);
    assert_eq!(headers, Message::new());
    let done = consumer
        .process_batch([&headers])
        .run_sync(|_| Ok::<_, io::Error>(7));
    assert_eq!(done.unwrap(), 7);
}
