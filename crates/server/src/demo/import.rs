//! One trace of ten thousand spans: the catalog imports the feeds of its suppliers. It is wide (a
//! span for each product) and deep (categories inside categories).

use super::failure::Failure;
use super::operation::{Statement, http};
use super::random::Random;
use super::recorder::{Recorder, Recording, record};
use super::service::{CATALOG, INVENTORY, Layer};
use super::span::SpanKind;

/// Exactly this many.
pub(super) const IMPORT_SPANS: usize = 10_000;

const SUPPLIERS: [&str; 8] = [
    "acme", "borealis", "cobalt", "dunlin", "ember", "fathom", "gannet", "harrow",
];
const PAGES_PER_SUPPLIER: usize = 12;
const PRODUCTS_PER_PAGE: usize = 25;
/// Levels of the category tree of the first supplier.
const CATEGORY_LEVELS: usize = 150;

const UPSERT: Statement = Statement {
    operation: "INSERT",
    table: "products",
    text: "INSERT INTO products (sku, title, category, price) VALUES ($1, $2, $3, $4) ON CONFLICT (sku) DO UPDATE SET title = $2, category = $3, price = $4",
};
const SELECT_CATEGORY: Statement = Statement {
    operation: "SELECT",
    table: "categories",
    text: "SELECT id, parent, title FROM categories WHERE parent = $1",
};
const REFRESH: Statement = Statement {
    operation: "UPDATE",
    table: "search_documents",
    text: "UPDATE search_documents SET text = p.title FROM products p WHERE p.id = product_id AND p.id = $1",
};

/// Tells the import that began at `start_us`; it takes about a minute.
pub(super) fn import(random: &mut Random, start_us: u64) -> Recording {
    let (recording, ()) = record(random, start_us, |r| {
        r.span(
            &CATALOG,
            Layer::Own,
            SpanKind::Internal,
            "import supplier feeds",
            |r| {
                r.set("job.name", "import-feeds");
                r.set("job.trigger", "cron");
                for (number, supplier) in SUPPLIERS.into_iter().enumerate() {
                    let levels = if number == 0 { CATEGORY_LEVELS } else { 6 };
                    r.step(format!("import {supplier}"), |r| feed(r, supplier, levels));
                }
                // What is left of the ten thousand: products whose search documents are refreshed.
                r.step("refresh search documents", |r| {
                    while r.span_count() < IMPORT_SPANS {
                        r.sql(REFRESH, 4.0);
                    }
                });
            },
        );
    });
    recording
}

fn feed(r: &mut Recorder<'_>, supplier: &'static str, category_levels: usize) {
    r.set("supplier", supplier);
    categories(r, 1, category_levels);
    for page in 1..=PAGES_PER_SUPPLIER {
        r.step("import page", |r| {
            r.set("page", page as i64);
            let path = format!("/feeds/{supplier}?page={page}");
            r.request(
                "feeds.example.com",
                443,
                http("GET", "/feeds", &path),
                |r| {
                    r.work(120.0);
                    200
                },
            );
            for product in 0..PRODUCTS_PER_PAGE {
                let sku = format!("{supplier}-{:05}", page * PRODUCTS_PER_PAGE + product);
                import_product(r, &sku);
            }
        });
    }
}

/// A category is imported inside the one above it.
fn categories(r: &mut Recorder<'_>, level: usize, levels: usize) {
    r.step("import category", |r| {
        r.set("category.level", level as i64);
        r.sql(SELECT_CATEGORY, 1.0);
        if level < levels {
            categories(r, level + 1, levels);
        }
    });
}

fn import_product(r: &mut Recorder<'_>, sku: &str) {
    r.step("import product", |r| {
        r.set("product.sku", sku);
        r.work(0.3);
        r.sql(UPSERT, 3.0);
        if !r.random.chance(0.2) {
            return;
        }
        let result = r.rpc(&INVENTORY, "shop.Inventory", "SetStock", |r| {
            if r.random.chance(0.01) {
                r.wait_ms(800);
                return Err(Failure::stock_pool_empty());
            }
            r.work(2.0);
            Ok(())
        });
        if result.is_err() {
            r.event("stock not set", vec![("product.sku", sku.into())]);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn it_has_ten_thousand_spans_and_is_deep_and_wide() {
        let recording = import(&mut Random::new(1), 1_000_000_000);
        assert_eq!(recording.spans.len(), IMPORT_SPANS);
        let mut depths = HashMap::new();
        let mut children: HashMap<u64, usize> = HashMap::new();
        for span in &recording.spans {
            let depth = span.parent_span_id.map_or(0, |parent| {
                *children.entry(parent).or_default() += 1;
                depths[&parent] + 1
            });
            assert_eq!(depths.insert(span.context.span_id, depth), None);
        }
        assert!(depths.values().any(|depth| *depth > 150));
        assert!(children.values().any(|count| *count > 1_000));
        let root = &recording.spans[0];
        let seconds = (root.end_us - root.start_us) / 1_000_000;
        assert!((20..200).contains(&seconds), "{seconds} s");
    }
}
