/// A URL without the passwords in it, to be shown. They are where a user is named, and in queries.
pub(crate) fn without_secret(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "file") else {
        return url.to_owned();
    };
    // The last `@` there is: a password may hold anything, encoded or not.
    let rest = match rest.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => rest.to_owned(),
    };
    let rest = match rest.split_once('?') {
        Some((place, query)) => {
            let name = query.split_once('#').map_or(String::new(), |(_, name)| format!("#{name}"));
            format!("{place}?…{name}")
        }
        None => rest,
    };
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("redis://u:p@ss@h:1#x", "redis://…@h:1#x"),
            ("redis://u:p?s#s@h:1#x", "redis://…@h:1#x"),
            ("redis+unix:///s.sock?user=u&password=p#x", "redis+unix:///s.sock?…#x"),
            ("redis://h:1/2#x", "redis://h:1/2#x"),
            ("file:///a@b/c", "file:///a@b/c"),
        ] {
            assert_eq!(without_secret(url), shown);
        }
    }
}
