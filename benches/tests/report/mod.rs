//! The report, as a real browser shows it.
mod files;
mod sample;
mod shown;

use leasehold_bench::{Fault, Row};
use serde_json::Value;
use shown::{DARK, DESKTOP, PHONE, Shown};

#[tokio::test]
async fn the_headline_is_the_worst_of_ours_and_what_befell_peers() {
    let outcome = sample::outcome();
    let shown = Shown::of(&outcome, DESKTOP).await;
    let tiles = shown.text(".tiles").await;
    let terms: usize = outcome.ours().map(|row| row.terms()).sum();
    let verdicts = || outcome.ours().filter_map(|row| row.verdict.as_ref());
    let limits: Vec<_> = verdicts().flat_map(|verdict| verdict.limits()).collect();
    let of = |kept| limits.iter().filter(|limit| **limit == kept).count();
    let (met, missed, open) = (of(Some(true)), of(Some(false)), of(None));
    assert!(terms > 3000 && met > 20 && open > 0, "{terms}, {met}, {open}");
    let terms = format!("in {},{:03} terms", terms / 1000, terms % 1000);
    let limits = format!("{met} of {} limits met", met + missed);
    let open = format!("{open} more could not be judged");
    for part in ["never", &terms, &limits, &open, "kubernetes"] {
        assert!(tiles.contains(part), "{part}: {tiles}");
    }
    let peers = shown.text(".peers").await;
    assert!(peers.contains("client-go-release, ✗ two at work at once 20 times"), "{peers}");
    let recipe = outcome.peers().filter(|row| row.program == "etcd-recipe");
    let terms: usize = recipe.map(|row| row.terms()).sum();
    let quiet = format!("etcd-recipe, no overlap in {terms} terms");
    assert!(peers.contains(&quiet), "{peers}");
    shown.end().await;
}

#[tokio::test]
async fn a_failure_of_ours_is_the_first_thing_to_be_seen() {
    let shown = Shown::of(&sample::failure(), DESKTOP).await;
    let tiles = shown.text(".tiles").await;
    assert!(tiles.contains("✗ 6 times") && tiles.contains("✗ 2 of 3 limits met"), "{tiles}");
    let first: f64 =
        shown.page.value("document.querySelector('.card.failed').offsetTop").await.unwrap();
    assert!(first < 800.0, "it is on the first screen, and not at {first}");
    assert!(shown.text(".card.failed").await.contains("OVERLAP: redis: crash"));
    let drawn: String = shown
        .page
        .value("document.querySelectorAll('.band .overlap')[1].getAttribute('d')")
        .await
        .unwrap();
    assert_eq!(drawn.matches('M').count(), 6, "{drawn}");
    shown.end().await;
}

#[tokio::test]
async fn each_fault_has_a_chart_with_everybody_and_each_store_a_time_line() {
    let outcome = sample::outcome();
    let shown = Shown::of(&outcome, DESKTOP).await;
    for fault in Fault::ALL {
        let rows = outcome.rows.iter().filter(|row| row.fault == fault).count();
        let lines =
            format!("document.querySelectorAll('#fault-{fault} figure:last-child .line').length");
        let lines: usize = shown.page.value(&lines).await.unwrap();
        assert_eq!(lines, rows, "{fault}");
    }
    // Not by colour alone.
    let marks = "[...document.querySelectorAll('#charts .line')].every(line => line.querySelector('.marker') === null
        || (line.querySelector('.marker').tagName === 'circle') === line.classList.contains('peer')
        && line.innerText.startsWith(line.classList.contains('peer') ? '○' : '◆'))";
    assert!(shown.page.value::<bool>(marks).await.unwrap());
    let stores = "[...document.querySelectorAll('.timeline h3')].map(title => title.innerText)";
    let stores: Vec<String> = shown.page.value(stores).await.unwrap();
    assert_eq!(stores, ["file", "redis", "etcd", "kubernetes"]);
    shown.end().await;
}

#[tokio::test]
async fn each_column_sorts_by_mouse_and_by_keyboard_and_what_is_not_known_comes_last() {
    let shown = Shown::of(&sample::outcome(), DESKTOP).await;
    let columns: usize =
        shown.page.value("document.querySelectorAll('#numbers th button').length").await.unwrap();
    assert_eq!(columns, 21);
    for column in 1..=columns {
        let button = format!("#numbers thead tr:last-child th:nth-child({column}) button");
        shown.page.click(&button).await.unwrap();
        let up = shown.column(column).await;
        assert!(in_order(&up), "{column}, ascending: {up:?}");
        assert_eq!(shown.sorted(column).await, "ascending");
        let key = if column % 2 == 0 { "Enter" } else { " " };
        shown.page.press(&button, key).await.unwrap();
        let mut down = shown.column(column).await;
        let known = down.iter().filter(|value| !value.is_null()).count();
        assert!(down[known..].iter().all(Value::is_null), "{column}: {down:?}");
        down.truncate(known);
        down.reverse();
        assert!(in_order(&down), "{column}, descending: {down:?}");
        assert_eq!(shown.sorted(column).await, "descending");
    }
    assert!(shown.text("#numbers .status").await.starts_with("Sorted by"));
    shown.end().await;
}

/// Numbers, or words, and then those that are not known.
fn in_order(values: &[Value]) -> bool {
    values.windows(2).all(|pair| match (&pair[0], &pair[1]) {
        (_, Value::Null) => true,
        (Value::Number(a), Value::Number(b)) => a.as_f64() <= b.as_f64(),
        (Value::String(a), Value::String(b)) => a.to_lowercase() <= b.to_lowercase(),
        _ => false,
    })
}

#[tokio::test]
async fn a_median_before_the_end_of_the_lease_is_not_drawn_as_a_fast_one() {
    let mut outcome = sample::outcome();
    let early = |row: &&mut Row| row.program == "client-go" && row.fault == Fault::Crash;
    let mut rows = 0;
    for row in outcome.rows.iter_mut().filter(early) {
        row.excess = std::iter::repeat_n(-307_000_000, row.excess.n()).collect();
        rows += 1;
    }
    let shown = Shown::of(&outcome, DESKTOP).await;
    let drawn = "[...document.querySelectorAll('#fault-crash figure:first-child .line')]
        .filter(line => line.querySelector('.early') && !line.querySelector('.marker')).map(line => line.innerText)";
    let drawn: Vec<String> = shown.page.value(drawn).await.unwrap();
    assert_eq!(drawn.len(), rows, "{drawn:?}");
    assert!(drawn.iter().all(|line| line.contains("-307")), "{drawn:?}");
    let explained = shown.text("#fault-crash figure:first-child .note").await;
    assert!(explained.contains("before the end of the lease"), "{explained}");
    shown.end().await;
}

#[tokio::test]
async fn a_machine_that_was_busy_with_other_work_is_told_of_beside_the_goals() {
    let mut outcome = sample::failure();
    outcome.busy = Some(0.63);
    let shown = Shown::of(&outcome, DESKTOP).await;
    let goals = shown.text(".tile.wide").await;
    assert!(goals.contains("busy for 63 % of the run"), "{goals}");
    shown.end().await;
}

#[tokio::test]
async fn every_picture_has_words_for_those_who_cannot_see_it() {
    let shown = Shown::of(&sample::outcome(), DESKTOP).await;
    let silent = "[...document.querySelectorAll('svg')].filter(svg => !svg.parentElement.closest('svg')
        && !svg.closest('[aria-hidden=true]')
        && !(svg.getAttribute('role') === 'img' && (svg.getAttribute('aria-label') ?? '').length > 20
            && svg.querySelector(':scope > title')?.textContent.length > 20)).map(svg => svg.outerHTML.slice(0, 200))";
    assert_eq!(shown.page.value::<Vec<String>>(silent).await.unwrap(), Vec::<String>::new());
    let words =
        "document.querySelector('#fault-crash .line.peer .track').getAttribute('aria-label')";
    let words: String = shown.page.value(words).await.unwrap();
    assert!(words.starts_with("rslock on redis: excess of 30 rounds: p50 "), "{words}");
    assert!(words.contains("p99 none, max ") && words.contains("the store's floor 0."), "{words}");
    let words = "[...document.querySelectorAll('.band')].map(band => band.getAttribute('aria-label')).join('\\n')";
    let words: String = shown.page.value(words).await.unwrap();
    assert!(
        words.contains("client-go-release on kubernetes, freeze: nobody at work for 1"),
        "{words}"
    );
    assert!(words.contains("two at work at once 10 times, for "), "{words}");
    shown.end().await;
}

#[tokio::test]
async fn nothing_is_wider_than_the_narrowest_phone() {
    let shown = Shown::of(&sample::outcome(), PHONE).await;
    let (page, screen): (f64, f64) = shown
        .page
        .value("[document.documentElement.scrollWidth, window.innerWidth]")
        .await
        .unwrap();
    assert_eq!((page, screen), (360.0, 360.0));
    // What is wider scrolls within itself; all else ends on the screen.
    let wide = "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg')
        && e.getBoundingClientRect().width > 0 && e.getBoundingClientRect().right > 360.5).map(e => e.outerHTML.slice(0, 200))";
    assert_eq!(shown.page.value::<Vec<String>>(wide).await.unwrap(), Vec::<String>::new());
    let small = "[...document.querySelectorAll('main *')].filter(e => e.innerText?.trim() && parseFloat(getComputedStyle(e).fontSize) < 12).length";
    assert_eq!(shown.page.value::<usize>(small).await.unwrap(), 0, "text of less than 12 pixels");
    shown.end().await;
}

#[tokio::test]
async fn light_and_dark_differ_and_both_can_be_read() {
    let outcome = sample::outcome();
    let shown = Shown::of(&outcome, DESKTOP).await;
    let mut papers = Vec::new();
    for view in [DESKTOP, DARK] {
        shown.page.look(view).await.unwrap();
        papers.push(
            shown
                .page
                .value::<String>("getComputedStyle(document.body).backgroundColor")
                .await
                .unwrap(),
        );
        let (texts, faint) = shown.contrasts().await;
        assert!(texts > 500, "only {texts} texts were looked at");
        assert_eq!(faint, Vec::<String>::new(), "{view:?}: text with a contrast below 4.5 : 1");
    }
    assert_ne!(papers[0], papers[1]);
    shown.end().await;
}

#[tokio::test]
async fn what_a_machine_has_to_say_is_text_and_no_markup() {
    let shown = Shown::of(&sample::outcome(), DESKTOP).await;
    // The notes are long, and closed until somebody wants them.
    assert!(!shown.text("#notes").await.contains("it does not build"));
    shown.page.click("#notes summary").await.unwrap();
    assert!(shown.text("#notes").await.contains("it does not build: <error> & so on"));
    shown.end().await;
}

#[tokio::test]
async fn a_picture_of_it_has_the_headline_and_two_charts() {
    let shown = Shown::of(&sample::outcome(), DESKTOP).await;
    let whole = shown.page.picture(DESKTOP).await.unwrap();
    shown.page.shorten().await.unwrap();
    let seen = "[...document.querySelectorAll('header, .tile, article, figure')].filter(e => e.offsetHeight > 0).length";
    assert_eq!(shown.page.value::<usize>(seen).await.unwrap(), 1 + 4 + 2 + 2);
    let picture = shown.page.picture(DESKTOP).await.unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() < whole.len() / 3);
    shown.end().await;
}
