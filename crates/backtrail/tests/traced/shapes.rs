use std::convert::Infallible;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use backtrail::testing::Recorder;
use backtrail::{current_span, traced};

struct Shelf {
    books: Vec<String>,
}

impl Shelf {
    #[traced(name = "new shelf", attributes(shelf.name = name, "shelf size" = size))]
    fn new(name: &str, size: usize) -> Self {
        Self {
            books: vec![name.to_owned(); size],
        }
    }

    /// Returns what it borrows from an argument that it may change.
    #[traced]
    fn last<'a>(&'a mut self, or: &'a mut String) -> &'a mut String {
        let Some(last) = self.books.last_mut() else {
            return or;
        };
        last
    }

    #[traced(kind = consumer)]
    async fn put(&mut self, mut book: String) -> usize {
        tokio::task::yield_now().await;
        book.push('!');
        current_span().set("book.len", book.len());
        self.books.push(book);
        self.books.len()
    }

    #[traced]
    async fn find<T>(&self, title: &T) -> Option<&String>
    where
        T: AsRef<str> + Sync + ?Sized,
    {
        self.books
            .iter()
            .find(|book| book.as_str() == title.as_ref())
    }

    #[traced]
    fn titles(&self) -> impl Iterator<Item = &str> {
        self.books.iter().map(String::as_str)
    }
}

trait Store {
    fn count(&self) -> impl Future<Output = Result<usize, Infallible>> + Send;
    fn name(&self) -> String {
        "store".to_owned()
    }
}

impl Store for Shelf {
    #[traced]
    async fn count(&self) -> Result<usize, Infallible> {
        Ok(self.books.len())
    }

    #[traced]
    fn name(&self) -> String {
        "shelf".to_owned()
    }
}

#[traced]
async fn shown(text: &str) -> Result<impl Display, Box<dyn std::error::Error + Send + Sync>> {
    let number: u64 = text.parse()?;
    Ok(number)
}

#[traced]
fn pinned<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<usize, String>> + Send + 'a>> {
    let extra = 1;
    Box::pin(async move {
        if text.is_empty() {
            Err("nothing there".to_owned())?;
        }
        Ok(text.len() + extra)
    })
}

#[traced]
fn returned(text: &str) -> impl Future<Output = Result<usize, String>> + Send {
    async move {
        let len = text.len();
        Ok(len)
    }
}

#[traced(root)]
async fn apart() {}

#[traced]
async fn forever(stops: bool) -> u8 {
    loop {
        if stops {
            break 7;
        }
        tokio::task::yield_now().await;
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn methods_are_traced() {
    let traces = Recorder::new();
    traces
        .run(async {
            let mut shelf = Shelf::new("a", 2);
            let mut other = String::new();
            shelf.last(&mut other).push('b');
            assert_eq!(assert_send(shelf.put("c".to_owned())).await, 3);
            assert_eq!(assert_send(shelf.find("ab")).await, Some(&"ab".to_owned()));
            assert_eq!(shelf.titles().collect::<Vec<_>>(), ["a", "ab", "c!"]);
            assert_eq!(assert_send(shelf.count()).await, Ok(3));
            assert_eq!(shelf.name(), "shelf");
        })
        .await;
    assert_eq!(
        traces.tree(),
        "new shelf shelf.name=a shelf size=2\n\
         last\n\
         put [consumer] book.len=2\n\
         find\n\
         titles\n\
         count ok\n\
         name\n"
    );
}

#[tokio::test]
async fn functions_that_return_a_future_are_traced_as_long_as_it_runs() {
    let traces = Recorder::new();
    traces
        .run(async {
            assert_eq!(assert_send(shown("7")).await.unwrap().to_string(), "7");
            assert_eq!(assert_send(pinned("abc")).await, Ok(4));
            pinned("").await.unwrap_err();
            drop(pinned("never polled"));
            assert_eq!(assert_send(returned("abc")).await, Ok(3));
            assert_eq!(forever(true).await, 7);
        })
        .await;
    assert_eq!(
        traces.tree_of(&[]),
        "shown ok\npinned ok\npinned error `nothing there`\n  · exception\nreturned ok\nforever\n"
    );
}

#[tokio::test]
async fn a_root_has_a_trace_of_its_own() {
    #[traced]
    async fn around() {
        apart().await;
    }
    let traces = Recorder::new();
    traces.run(around()).await;
    let spans = traces.spans();
    assert_eq!(spans.len(), 2);
    assert_ne!(
        spans[0].span_context.trace_id(),
        spans[1].span_context.trace_id()
    );
}

#[tokio::test]
async fn nothing_of_the_arguments_is_recorded_by_itself() {
    #[traced]
    async fn sign_in(_user: &str, password: String) -> Result<usize, Infallible> {
        Ok(password.len())
    }
    let traces = Recorder::new();
    traces
        .run(async { sign_in("ann", "hunter2".to_owned()).await })
        .await
        .unwrap();
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("ann") && !told.contains("hunter2"), "{told}");
}

#[rustfmt::skip]
#[deny(warnings, clippy::pedantic, reason = "what the macro makes must pass in the strictest service")]
mod strict {
    use backtrail::traced;

    #[traced]
    pub(super) async fn in_one_line(text: &str) -> usize { text.len() }

    #[traced]
    pub(super) async fn with_items() -> u8 {
        use std::convert::identity;
        fn inner() -> u8 { 7 }
        let seven = inner();
        identity(seven)
    }

    #[traced]
    pub(super) fn never() -> ! { panic!("it ends") }

    #[traced]
    pub(super) async fn never_later() -> ! { tokio::task::yield_now().await; panic!("it ends") }
}

#[tokio::test]
async fn functions_that_never_return_and_those_in_one_line_are_traced() {
    let traces = Recorder::new();
    traces
        .run(async {
            assert_eq!(strict::in_one_line("abc").await, 3);
            assert_eq!(strict::with_items().await, 7);
            std::panic::catch_unwind(|| strict::never()).unwrap_err();
            let later = backtrail::spawn(async { strict::never_later().await });
            assert!(later.await.unwrap_err().is_panic());
        })
        .await;
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "in_one_line\nwith_items\n\
         never error `it ends` error.type=panic\n  · exception\n\
         never_later error `it ends` error.type=panic\n  · exception\n"
    );
}
