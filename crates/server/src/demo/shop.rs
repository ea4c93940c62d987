//! The story: what customers do in the shop, and what the services do for it.

use super::failure::Failure;
use super::operation::{Statement, StatusCode, http};
use super::random::Random;
use super::recorder::{Recorder, Recording, record};
use super::service::{CART, CATALOG, CHECKOUT, EMAIL, FRONTEND, INVENTORY, PAYMENT, SHIPPING};
use super::span::SpanContext;

/// How the payment gateway, which is not ours, is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gateway {
    Well,
    /// Answers after a time-out and a retry, or not at all.
    Overloaded,
}

/// How one payment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payment {
    Authorized,
    /// The card is refused, which is no error of ours.
    Declined,
    /// The first attempts time out.
    AfterRetries,
    /// Every attempt times out.
    TimedOut,
    /// The gateway's answer can't be read.
    Unreadable,
}

impl Payment {
    fn today(random: &mut Random, gateway: Gateway) -> Self {
        let dice = random.fraction();
        match gateway {
            Gateway::Well if dice < 0.90 => Self::Authorized,
            Gateway::Well if dice < 0.95 => Self::Declined,
            Gateway::Well if dice < 0.975 => Self::AfterRetries,
            Gateway::Well => Self::Unreadable,
            Gateway::Overloaded if dice < 0.35 => Self::Authorized,
            Gateway::Overloaded if dice < 0.8 => Self::AfterRetries,
            Gateway::Overloaded => Self::TimedOut,
        }
    }
}

/// One customer does something. Returns what others link to when it was an order.
pub(super) fn visit(
    random: &mut Random,
    start_us: u64,
    gateway: Gateway,
) -> (Recording, Option<SpanContext>) {
    match random.between(0..100) {
        0..38 => (browse(random, start_us), None),
        38..58 => (search(random, start_us), None),
        58..76 => (add_to_cart(random, start_us), None),
        76..88 => (track_order(random, start_us), None),
        _ => {
            let payment = Payment::today(random, gateway);
            checkout(random, start_us, payment)
        }
    }
}

fn enter(
    r: &mut Recorder<'_>,
    method: &'static str,
    route: &'static str,
    path: &str,
    page: impl FnOnce(&mut Recorder<'_>) -> StatusCode,
) {
    const AGENTS: [&str; 4] = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ];
    r.serve(&FRONTEND, http(method, route, path), |r| {
        let (agent, user) = (r.random.pick(&AGENTS), r.random.between(1..400));
        r.set("user_agent.original", agent);
        r.set("user.id", format!("u-{user:04}"));
        r.set("client.address", format!("198.51.100.{}", user % 254 + 1));
        r.work(1.0);
        page(r)
    });
}

fn browse(random: &mut Random, start_us: u64) -> Recording {
    let product = random.between(1..500);
    let path = format!("/products/{product}");
    let told = record(random, start_us, |r| {
        enter(r, "GET", "/products/{id}", &path, |r| {
            let (found, _) = r.both(
                |r| product_details(r, &path),
                |r| {
                    let request = http("GET", "/recommendations", "/recommendations?limit=8");
                    r.call(&CATALOG, request, |r| {
                        r.redis("GET", "recommendations:8");
                        r.work(3.0);
                        200
                    })
                },
            );
            if found != 200 {
                return found;
            }
            r.step("render product page", |r| {
                r.work(6.0);
                // A few products are recommended together with one that has no price.
                if product.is_multiple_of(97) {
                    r.throw(&Failure::price_missing());
                    500
                } else {
                    200
                }
            })
        });
    });
    told.0
}

fn product_details(r: &mut Recorder<'_>, path: &str) -> StatusCode {
    const SELECT: Statement = Statement {
        operation: "SELECT",
        table: "products",
        text: "SELECT id, sku, title, description, price FROM products WHERE id = $1",
    };
    r.call(&CATALOG, http("GET", "/products/{id}", path), |r| {
        let cached = r.random.chance(0.7);
        r.redis("GET", path);
        r.set("shop.cache.hit", cached);
        if !cached {
            r.sql(SELECT, 4.0);
            r.redis("SETEX", path);
        }
        r.work(1.5);
        if r.random.chance(0.02) { 404 } else { 200 }
    })
}

fn search(random: &mut Random, start_us: u64) -> Recording {
    const MATCHING: Statement = Statement {
        operation: "SELECT",
        table: "products",
        text: "SELECT id, title, price FROM products WHERE title ILIKE $1 ORDER BY popularity DESC LIMIT $2",
    };
    const TERMS: [&str; 6] = ["lamp", "desk", "chair", "rug", "kettle", "plant pot"];
    let term = random.pick(&TERMS);
    let told = record(random, start_us, |r| {
        let path = format!("/search?q={}", term.replace(' ', "+"));
        enter(r, "GET", "/search", &path, |r| {
            let status = r.call(&CATALOG, http("GET", "/search", &path), |r| {
                r.set("shop.search.term", term);
                // A pattern of several words can't use the index.
                let scans = term.contains(' ');
                let result = r.sql_or_fail(MATCHING, |r| {
                    if scans && r.random.chance(0.3) {
                        r.wait_ms(5_000);
                        return Err(Failure::search_canceled());
                    }
                    r.work(if scans { 1_800.0 } else { 14.0 });
                    let rows = r.random.between(0..50) as i64;
                    r.set("db.response.returned_rows", rows);
                    Ok(())
                });
                if result.is_err() {
                    return 503;
                }
                r.step("rank results", |r| r.work(5.0));
                200
            });
            r.step("render results", |r| r.work(7.0));
            status
        });
    });
    told.0
}

fn add_to_cart(random: &mut Random, start_us: u64) -> Recording {
    let told = record(random, start_us, |r| {
        let product = format!("/products/{}", r.random.between(1..500));
        enter(r, "POST", "/cart/items", "/cart/items", |r| {
            let status = r.call(
                &CART,
                http("POST", "/carts/{id}/items", "/carts/81/items"),
                |r| {
                    let status = product_details(r, &product);
                    if status != 200 {
                        return status;
                    }
                    r.redis("HINCRBY", "cart:81");
                    r.redis("EXPIRE", "cart:81");
                    r.work(1.0);
                    201
                },
            );
            r.work(2.0);
            status
        });
    });
    told.0
}

/// The page of a customer's orders asks for each order's parcel on its own: the more orders, the
/// slower.
fn track_order(random: &mut Random, start_us: u64) -> Recording {
    const ORDERS: Statement = Statement {
        operation: "SELECT",
        table: "orders",
        text: "SELECT id, placed_at, total FROM orders WHERE customer = $1 ORDER BY placed_at DESC",
    };
    const PARCEL: Statement = Statement {
        operation: "SELECT",
        table: "parcels",
        text: "SELECT carrier, tracking_number, state FROM parcels WHERE order_id = $1",
    };
    let orders = random.between(1..30) as i64;
    let told = record(random, start_us, |r| {
        enter(r, "GET", "/account/orders", "/account/orders", |r| {
            let status = r.call(
                &CHECKOUT,
                http("GET", "/orders", "/orders?customer=17"),
                |r| {
                    r.sql(ORDERS, 5.0);
                    r.set("shop.orders", orders);
                    200
                },
            );
            r.call(
                &SHIPPING,
                http("POST", "/parcels/query", "/parcels/query"),
                |r| {
                    for _ in 0..orders {
                        r.sql(PARCEL, 2.2);
                    }
                    if r.random.chance(0.01) {
                        r.throw(&Failure::label_panic());
                        return 500;
                    }
                    200
                },
            );
            r.step("render orders", |r| r.work(4.0));
            status
        });
    });
    told.0
}

/// A customer buys. Returns the published order, too, when there is one.
pub(super) fn checkout(
    random: &mut Random,
    start_us: u64,
    payment: Payment,
) -> (Recording, Option<SpanContext>) {
    let order = format!("ord-{:06}", random.between(100_000..999_999));
    let mut published = None;
    let (recording, ()) = record(random, start_us, |r| {
        enter(r, "POST", "/checkout", "/checkout", |r| {
            let total = r.random.between(900..40_000) as f64 / 100.0;
            r.set("shop.order.total", total);
            let status = r.call(&CHECKOUT, http("POST", "/orders", "/orders"), |r| {
                r.set("shop.order.id", order.as_str());
                r.set("shop.order.total", total);
                r.set("shop.order.express", total > 250.0);
                place_order(r, &order, payment, &mut published)
            });
            r.step("render receipt", |r| r.work(5.0));
            status
        });
    });
    (recording, published)
}

fn place_order(
    r: &mut Recorder<'_>,
    order: &str,
    payment: Payment,
    published: &mut Option<SpanContext>,
) -> StatusCode {
    const INSERT: Statement = Statement {
        operation: "INSERT",
        table: "orders",
        text: "INSERT INTO orders (id, customer, total, state) VALUES ($1, $2, $3, 'placed')",
    };
    r.call(&CART, http("GET", "/carts/{id}", "/carts/81"), |r| {
        r.redis("HGETALL", "cart:81");
        r.work(1.0);
        200
    });
    let (reserved, _) = r.both(reserve_stock, quote_shipping);
    if reserved.is_err() {
        return 503;
    }
    match r.call(&PAYMENT, http("POST", "/charges", "/charges"), |r| {
        charge(r, order, payment)
    }) {
        201 => {}
        402 => return 402,
        _ => return 502,
    }
    r.sql(INSERT, 6.0);
    let message = format!("{order}-placed");
    let context = r.publish("orders", &message, |r| {
        let delay_ms = r.random.between(300..4_000);
        r.later(delay_ms, send_confirmation);
    });
    *published = Some(context);
    201
}

fn reserve_stock(r: &mut Recorder<'_>) -> Result<(), Failure> {
    const RESERVE: Statement = Statement {
        operation: "UPDATE",
        table: "stock",
        text: "UPDATE stock SET reserved = reserved + $2 WHERE sku = $1 AND on_hand - reserved >= $2",
    };
    r.rpc(&INVENTORY, "shop.Inventory", "Reserve", |r| {
        if r.random.chance(0.02) {
            r.wait_ms(800);
            return Err(Failure::stock_pool_empty());
        }
        for _ in 0..r.random.between(1..5) {
            r.sql(RESERVE, 3.0);
        }
        Ok(())
    })
}

fn quote_shipping(r: &mut Recorder<'_>) -> StatusCode {
    r.call(&SHIPPING, http("POST", "/quotes", "/quotes"), |r| {
        r.request(
            "rates.carrier.example",
            443,
            http("GET", "/rates", "/v2/rates"),
            |r| {
                r.work(45.0);
                200
            },
        );
        r.step("choose carrier", |r| r.work(1.0));
        200
    })
}

fn charge(r: &mut Recorder<'_>, order: &str, payment: Payment) -> StatusCode {
    const GATEWAY: &str = "gateway.pay.example";
    const ATTEMPT_TIMEOUT_MS: u64 = 1_500;
    let authorize = http("POST", "/authorizations", "/v1/authorizations");
    r.set("shop.order.id", order);
    let lost_attempts = match payment {
        Payment::AfterRetries => 2,
        Payment::TimedOut => 3,
        _ => 0,
    };
    for attempt in 0..lost_attempts {
        let timeout = Failure::gateway_timeout();
        r.request_without_answer(GATEWAY, authorize, ATTEMPT_TIMEOUT_MS, attempt, &timeout);
        let pause_ms = 100 << attempt;
        r.event("retry", vec![("retry.delay_ms", (pause_ms as i64).into())]);
        r.wait_ms(pause_ms);
    }
    if payment == Payment::TimedOut {
        r.throw(&Failure::gateway_timeout());
        return 504;
    }
    let declined = payment == Payment::Declined;
    r.request(GATEWAY, 443, authorize, |r| {
        r.work(90.0);
        if declined { 402 } else { 200 }
    });
    match payment {
        Payment::Declined => 402,
        Payment::Unreadable => {
            r.throw(&Failure::payment_unreadable(order));
            500
        }
        _ => {
            record_charge(r);
            201
        }
    }
}

fn record_charge(r: &mut Recorder<'_>) {
    const INSERT: Statement = Statement {
        operation: "INSERT",
        table: "charges",
        text: "INSERT INTO charges (order_id, amount, authorization_id) VALUES ($1, $2, $3)",
    };
    r.sql(INSERT, 4.0);
}

fn send_confirmation(r: &mut Recorder<'_>) {
    r.consume(&EMAIL, "orders", |r| {
        r.step("render confirmation", |r| r.work(8.0));
        r.step("send mail", |r| {
            r.set("server.address", "smtp");
            r.set("server.port", 587_u16);
            r.work(60.0);
            if r.random.chance(0.05) {
                r.throw(&Failure::mail_disconnected());
            }
        });
    });
}

/// The inventory works through the orders of the last minutes at once: a trace of its own, with a
/// link to each order.
pub(super) fn pick_orders(random: &mut Random, start_us: u64, orders: &[SpanContext]) -> Recording {
    const PICK: Statement = Statement {
        operation: "UPDATE",
        table: "stock",
        text: "UPDATE stock SET on_hand = on_hand - $2, reserved = reserved - $2 WHERE sku = $1",
    };
    let (recording, ()) = record(random, start_us, |r| {
        r.consume(&INVENTORY, "orders", |r| {
            r.set("messaging.batch.message_count", orders.len() as i64);
            for order in orders {
                r.link(*order);
            }
            for _ in orders {
                r.step("pick order", |r| r.sql(PICK, 3.0));
            }
        });
    });
    recording
}
