//! Files as spans, for those who switch them on.

use std::io::ErrorKind;

use backtrail::testing::Recorder;
use backtrail::{fs, in_span};

#[test]
fn nothing_is_traced_unless_it_is_switched_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let traces = Recorder::new();
    traces.run_sync(|| {
        fs::write(&path, "b").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"b");
    });
    assert_eq!(traces.tree(), "");
}

#[test]
fn every_function_is_a_span_with_its_path_and_without_contents() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("x/y");
    let (a, b, c) = (inner.join("a"), inner.join("b"), inner.join("c"));
    let traces = Recorder::with(|system| system.enable("fs"));
    traces.run_sync(|| {
        fs::create_dir_all(&inner).unwrap();
        fs::write(&a, "secret").unwrap();
        assert_eq!(fs::read_to_string(&a).unwrap(), "secret");
        assert_eq!(fs::copy(&a, &b).unwrap(), 6);
        fs::rename(&b, &c).unwrap();
        assert_eq!(fs::metadata(&c).unwrap().len(), 6);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 2);
        fs::remove_file(&c).unwrap();
        assert_eq!(fs::read(&c).unwrap_err().kind(), ErrorKind::NotFound);
    });
    let tree = traces.tree().replace(&*folder.path().to_string_lossy(), "");
    assert_eq!(
        tree,
        "fs create_dir_all file.path=/x/y\n\
         fs write file.path=/x/y/a\n\
         fs read_to_string file.path=/x/y/a\n\
         fs copy file.path=/x/y/a file.target_path=/x/y/b\n\
         fs rename file.path=/x/y/b file.target_path=/x/y/c\n\
         fs metadata file.path=/x/y/c\n\
         fs read_dir file.path=/x/y\n\
         fs remove_file file.path=/x/y/c\n\
         fs read error `entity not found` file.path=/x/y/c error.type=NotFound\n"
    );
}

#[tokio::test]
async fn the_asynchronous_functions_are_in_the_trace_of_their_caller() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("x");
    let (a, b, c) = (inner.join("a"), inner.join("b"), inner.join("c"));
    let traces = Recorder::with(|system| system.enable("fs"));
    traces
        .run(async {
            in_span("outer", (), async |_| {
                fs::tokio::create_dir_all(&inner).await?;
                fs::tokio::write(&a, "text".to_owned()).await?;
                assert_eq!(fs::tokio::read(&a).await?, b"text");
                assert_eq!(fs::tokio::read_to_string(&a).await?, "text");
                fs::tokio::copy(&a, &b).await?;
                fs::tokio::rename(&b, &c).await?;
                fs::tokio::metadata(&c).await?;
                fs::tokio::read_dir(&inner).await?;
                fs::tokio::remove_file(&c).await
            })
            .await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&[]),
        "outer\n\
         ├ fs create_dir_all\n\
         ├ fs write\n\
         ├ fs read\n\
         ├ fs read_to_string\n\
         ├ fs copy\n\
         ├ fs rename\n\
         ├ fs metadata\n\
         ├ fs read_dir\n\
         └ fs remove_file\n"
    );
}

#[test]
fn a_long_path_is_cut() {
    let traces = Recorder::with(|system| system.enable("fs"));
    let path = "é".repeat(10_000);
    traces.run_sync(|| fs::read(&path).unwrap_err());
    let spans = traces.spans();
    let told = spans[0].attributes[0].value.to_string();
    assert!(told.len() < 1_100 && told.ends_with('…'), "{told}");
}
