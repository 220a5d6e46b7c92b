use proptest::prelude::*;

use super::super::testing::Fake;
use super::super::variables::Location;
use super::*;

fn fake() -> Fake {
    Fake::default()
        .context("requestId", "r-1")
        .context("identity.sourceIp", "203.0.113.7")
        .context("authorizer.principalId", "p")
        .context("authorizer.x-user-id", "u-7")
        .stage("table", "orders")
        .stage("url", "https://e.example")
        .parameter(Location::Path, "id", "42")
        .parameter(Location::QueryString, "id", "from query")
        .parameter(Location::QueryString, "page", "2")
        .parameter(Location::Header, "Accept", "a/b")
        .body(r#"{"z":1,"name":"O'Neil \"x\"","items":[{"id":1,"p":2.5},{"id":2,"p":1}],"empty":"","none":null,"on":true}"#)
}

fn outcome(template: &str) -> Result<Rendered, TemplateError> {
    Template::parse(template)?.render(&fake())
}

#[track_caller]
fn render(template: &str) -> String {
    outcome(template).unwrap_or_else(|error| panic!("{template}: {error}")).body
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(render(template), *expected, "{template}");
    }
}

#[track_caller]
fn fault(template: &str) -> (usize, usize, String) {
    let error = outcome(template).expect_err(template);
    (error.line, error.column, error.message)
}

#[test]
fn references_print_their_values() {
    check(&[
        ("#set($a = 'x')$a ${a}b $!a $!{a}b", "x xb x xb"),
        ("#set($a-b = 1)$a-b.", "1."),
        ("#set($m = {'k': {'n': [1, 2]}})$m.k.n[1] $m.k['n'].get(0) ${m.k.n.size()}!", "2 1 2!"),
        ("#set($l = [1, 2, 3])$l[0]$l[-1] $l", "13 [1, 2, 3]"),
        ("#set($n = 'v')$n[draft]", "v[draft]"),
        ("cost: $5, 100$ and $ {x} $", "cost: $5, 100$ and $ {x} $"),
    ]);
}

#[test]
fn an_unknown_variable_is_printed_as_written() {
    check(&[
        ("$foo ${foo} $foo.bar[1].baz('x') $!foo $!{foo.bar}.", "$foo ${foo} $foo.bar[1].baz('x')  ."),
        ("#set($x = \"a $foo\")$x", "a $foo"),
    ]);
}

#[test]
fn what_is_missing_below_a_known_variable_prints_nothing() {
    check(&[
        ("[$input.path('$.missing')]", "[]"),
        ("[$input.path('$').missing]", "[]"),
        ("[$input.path('$.none')]", "[]"),
        ("[$context.identity.user]", "[]"),
        ("[$stageVariables.none]", "[]"),
        ("[$input.params('none')]", "[]"),
        ("[$util.unknown('x')]", "[]"),
        ("#if($input.path('$.missing'))a#else b#end", " b"),
        ("#if($input.path('$.missing') == '')a#end#if($input.path('$.missing') != '')b#end", "a"),
        ("#if($input.path('$.empty'))a#end#if($input.path('$.empty') != '')b#end", "a"),
    ]);
}

#[test]
fn backslashes_escape() {
    check(&[
        (r"#set($a = 1)\$a \\$a \\\$a \$b \b \", r"$a \1 \$a \$b \b \"),
        (r"\#if \#unknown \\#set($a = 2)$a", r"#if \#unknown \2"),
    ]);
}

#[test]
fn directives_branch_and_loop() {
    check(&[
        ("#if(false)a#elseif(1 == 1)b#else c#end", "b"),
        ("#if($input.path('$.on') && !false)x#{else}y#end", "x"),
        ("#foreach($i in [1..3])$i#if($foreach.hasNext),#end#end", "1,2,3"),
        ("#foreach($i in [3..1])$foreach.index:$foreach.count:$i #end", "0:1:3 1:2:2 2:3:1 "),
        ("#foreach($i in [1..9])#if($i > 2)#break#end$i#end.", "12."),
        ("a#stop b", "a"),
        ("#set($i = 'x')#foreach($i in [1])$i#end$i", "1x"),
        ("#foreach($a in [1, 2])#foreach($b in [1])$foreach.parent.count$foreach.last#end#end", "1true2true"),
        ("#set($m = {'a': 1, 'b': 2})#foreach($e in $m.entrySet())$e.key=$e.value;$e.getKey()#end", "a=1;ab=2;b"),
        ("#set($m = {'a': 1})#foreach($v in $m)$v#end#foreach($x in $nothing)y#end", "1"),
        ("#define($b)<$x>#end#set($x = 1)$b#set($x = 2)$b", "<1><2>"),
        ("a ## b\nc #* d\n $x *# e #[[ $raw #if ]]#", "a c  e  $raw #if "),
        ("#fff #endpoint #1 #", "#fff #endpoint #1 #"),
    ]);
}

#[test]
fn a_line_of_directives_alone_prints_no_line() {
    assert_eq!(render("{\n  #set($a = 1)\n#if($a == 1)\n  \"a\": $a\n#else\n  x\n#end\n}\n"), "{\n  \"a\": 1\n}\n");
    assert_eq!(render("#foreach($i in [1, 2])\n$i\n#end\n"), "1\n2\n");
}

#[test]
fn expressions_calculate_and_compare() {
    check(&[
        ("#set($x = 1 + 2 * 3 - 4 / 2 % 3)$x", "5"),
        ("#set($x = (1 + 2) * -3)$x", "-9"),
        ("#set($x = 7 / 2)$x.#set($y = 7 / 2.0) $y", "3. 3.5"),
        ("#set($x = 'a' + 1 + true)$x", "a1true"),
        ("#set($x = 1 / 0)[$x]", "[]"),
        ("#if(1 < 2 && 2 >= 2 and 3 ne 4 || false)y#end", "y"),
        ("#if(1 == 1.0)a#end#if('1' == 1)b#end#if('a' == \"a\")c#end#if('a' < 'b')d#end", "abc"),
        ("#if(not false)a#end#if(!true or 1 eq 1)b#end#if(2 gt 1 and 1 le 1)c#end", "abc"),
        ("#set($s = \"a${stageVariables.table}#if(true)b#end \"\"q\"\" c\")$s", "aordersb \"q\" c"),
        ("#set($s = 'it''s $raw')$s", "it's $raw"),
        ("#set($x = 1.50)$x #set($e = 10000000.0)$e", "1.51.0E7"),
    ]);
}

#[test]
fn lists_and_maps_are_javas() {
    check(&[
        ("#set($l = [])#set($ok = $l.add('a'))$ok $l.size() $l.isEmpty() $l.contains('a') $l", "true 1 false true [a]"),
        ("#set($a = [1])#set($b = $a)#set($_ = $b.add(2))$a", "[1, 2]"),
        ("#set($l = [1, 2, 3])$l.remove(0)$l.set(0, 9)$l.indexOf(3)$l", "121[9, 3]"),
        ("#set($l = [1])#set($_ = $l.addAll([2, 3]))#set($l[0] = 'x')$l", "[x, 2, 3]"),
        ("#set($m = {})$!m.put('k', 1)$m.put('k', 2)$m.k$m.get('k')$m.size()$m.containsKey('x')", "1221false"),
        (
            "#set($m = {'a': 1})#set($m.b = 2)#set($m['c'] = 3)$m $m.keySet() $m.values()",
            "{a=1, b=2, c=3} [a, b, c] [1, 2, 3]",
        ),
        ("#set($m = {'a': 1})$m.remove('a')$m.isEmpty()$m.getOrDefault('z', 'd')", "1trued"),
    ]);
}

#[test]
fn strings_are_javas() {
    check(&[
        ("#set($s = 'a-B c')$s.length() $s.toUpperCase() $s.toLowerCase() $s.isEmpty()", "5 A-B C a-b c false"),
        ("#set($s = ' x ')[$s.trim()]", "[x]"),
        (
            "#set($s = 'hello')$s.substring(1) $s.substring(1, 3) $s.indexOf('l') $s.lastIndexOf('l') $s.indexOf('z')",
            "ello el 2 3 -1",
        ),
        (
            "#set($s = 'hello')$s.startsWith('he')$s.endsWith('lo')$s.contains('ll')$s.matches('h.*o')$s.matches('h')",
            "truetruetruetruefalse",
        ),
        (
            "#set($s = 'a1b22')$s.replaceAll('[0-9]+', '<$0>') $s.replaceAll('b', 'x') $s.replace('1', '.')",
            "a<1>b<22> a1x22 a.b22",
        ),
        ("#set($s = 'a,b,,')$s.split(',') $s.split(',')[1] $s.split(',').size()", "[a, b] b 2"),
        ("#set($s = 'a|b')$s.split('\\|')", "[a, b]"),
        ("#set($s = 'Ab')$s.equals('Ab')$s.equalsIgnoreCase('aB')$s.concat('c')", "truetrueAbc"),
        ("#set($Integer = 0)#set($n = $Integer.parseInt('41') + 1)$n", "42"),
    ]);
}

#[test]
fn input_gives_body_and_parameters() {
    let body =
        r#"{"z":1,"name":"O'Neil \"x\"","items":[{"id":1,"p":2.5},{"id":2,"p":1}],"empty":"","none":null,"on":true}"#;
    check(&[
        ("$input.json('$')", body),
        ("$input.body", body),
        ("$input.json('$.items[0]')", r#"{"id":1,"p":2.5}"#),
        ("$input.json(\"$.items\")", r#"[{"id":1,"p":2.5},{"id":2,"p":1}]"#),
        ("$input.json('$.items[*].id')", "[1,2]"),
        ("$input.json('$.name')", r#""O'Neil \"x\"""#),
        ("$input.json('$.missing')", r#""""#),
        ("$input.path('$.items').size() $input.path('$.items[1].id') $input.path('$.z')", "2 2 1"),
        ("$input.path('$.items')", r#"[{"id":1,"p":2.5},{"id":2,"p":1}]"#),
        ("$input.path('$.items[0]')", "{id=1, p=2.5}"),
        ("#foreach($i in $input.path('$.items'))$i.id #end", "1 2 "),
        ("#set($i = 1)$input.path(\"$.items[$i].id\")", "2"),
        ("$input.params('id') $input.params('page') $input.params('accept')", "42 2 a/b"),
        ("$input.params().path.id $input.params().querystring.get('id')", "42 from query"),
        ("#foreach($t in $input.params().keySet())$t #end", "path querystring header "),
    ]);
}

#[test]
fn the_reference_examples_render() {
    // The developer guide's example that passes all parameters on.
    let template = r#"#set($allParams = $input.params())
{
  "params" : {
    #foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
    "$type" : {
      #foreach($paramName in $params.keySet())
      "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
      #if($foreach.hasNext),#end
      #end
    }
    #if($foreach.hasNext),#end
    #end
  }
}"#;
    let json: serde_json::Value = serde_json::from_str(&render(template)).expect("JSON");
    assert_eq!(json["params"]["querystring"]["id"], "from query");
    assert_eq!(json["params"]["header"]["Accept"], "a/b");
    assert_eq!(json["params"]["path"]["id"], "42");
    // And the one of `$util.parseJson`.
    let fake = Fake::default().body(r#"{"errorMessage":"{\"key1\":\"var1\",\"key2\":{\"arr\":[1,2,3]}}"}"#);
    let template = "#set ($errorMessageObj = $util.parseJson($input.path('$.errorMessage')))\n{\n   \"errorMessageObjKey2ArrVal\" : $errorMessageObj.key2.arr[0]\n}";
    let rendered = Template::parse(template).expect("a template").render(&fake).expect("rendered");
    assert_eq!(rendered.body, "{\n   \"errorMessageObjKey2ArrVal\" : 1\n}");
}

#[test]
fn bodies_that_are_no_json_are_strings_or_refused() {
    // As API Gateway was recorded to answer, with each body.
    for (template, body, expected) in [
        ("\"$input.path('$')\"", "a=b", "\"a=b\""),
        ("\"$input.path('$')\"", "\"a=b\"", "\"a=b\""),
        ("$input.json('$')", "a=b", "\"a=b\""),
        ("$input.json('$')", "\"a=b\"", "\"a=b\""),
        ("\"$input.path('$')\"", "{}", "\"{}\""),
        ("$input.json('$')", "{}", "{}"),
        ("$input.json('$')", "", "{}"),
        ("\"$input.path('$')\"", "a{b", "\"a{b\""),
        ("\"$input.path('$')\"", "null{", "\"null{\""),
        ("$input.body", "", "{}"),
    ] {
        let rendered = Template::parse(template).expect("a template").render(&Fake::default().body(body));
        assert_eq!(rendered.expect("rendered").body, expected, "{template} of {body}");
    }
    for body in ["{a", "[a"] {
        let template = Template::parse("\n \"$input.path('$')\"").expect("a template");
        let error = template.render(&Fake::default().body(body)).expect_err("refused");
        assert_eq!((error.line, error.column, error.of_body), (2, 3, true));
        assert!(error.message.starts_with("Could not process payload"));
    }
}

#[test]
fn context_and_stage_variables_are_read() {
    check(&[
        ("$context.requestId $context.identity.sourceIp $context.authorizer.x-user-id", "r-1 203.0.113.7 u-7"),
        ("$context.identity.get('sourceIp') $context['requestId'] $context.requestId.length()", "203.0.113.7 r-1 3"),
        ("$stageVariables.table $stageVariables['table'] ${stageVariables['url']}", "orders orders https://e.example"),
        (
            "#foreach($k in $stageVariables.keySet())$k=$stageVariables.get($k) #end",
            "table=orders url=https://e.example ",
        ),
        ("#set($m = $context.authorizer)#foreach($k in $m.keySet())$k #end", ""),
        (
            "#foreach($k in $context.authorizer.keySet())$k=$context.authorizer.get($k) #end",
            "principalId=p x-user-id=u-7 ",
        ),
    ]);
}

#[test]
fn utilities_encode_and_decode() {
    check(&[
        (r"$util.escapeJavaScript($input.path('$.name'))", r#"O\'Neil \"x\""#),
        (r#"$util.escapeJavaScript($input.path('$.name')).replaceAll("\\'","'")"#, r#"O'Neil \"x\""#),
        ("$util.escapeJavaScript('é/\u{1f600}')", "\\u00E9\\/\\uD83D\\uDE00"),
        ("$util.urlEncode('a b&c/ü') $util.urlDecode('a+b%26c%2F%C3%BC')", "a+b%26c%2F%C3%BC a b&c/ü"),
        ("$util.base64Encode('hello') $util.base64Decode('aGVsbG8=')", "aGVsbG8= hello"),
        ("$util.parseJson('[1, {\"a\": \"b\"}]')[1].a", "b"),
        ("[$util.escapeJavaScript($input.path('$.missing'))]", "[]"),
    ]);
}

#[test]
fn overrides_are_given_back() {
    let rendered = outcome(
        "#set($context.responseOverride.status = 201)#set($context.responseOverride.header.x-one = \"v$input.params('id')\")\
         #set($context.requestOverride.header['X-Two'] = ['a', 'b'])#set($context.requestOverride.path.id = 7)\
         #set($context.requestOverride.querystring.q = 'x')$context.responseOverride.status $context.requestOverride.path.id",
    );
    let rendered = rendered.expect("rendered");
    assert_eq!(rendered.body, "201 7");
    let one = |name: &str, value: &str| vec![(name.to_owned(), vec![value.to_owned()])];
    assert_eq!(
        rendered.overrides,
        Overrides {
            request_headers: vec![("X-Two".to_owned(), vec!["a".to_owned(), "b".to_owned()])],
            request_path: one("id", "7"),
            request_query: one("q", "x"),
            response_headers: one("x-one", "v42"),
            response_status: Some(201),
        }
    );
    assert!(outcome("x").expect("rendered").overrides.is_empty());
}

#[test]
fn an_override_is_applied_once() {
    let twice = "#set($context.responseOverride.header.A = 1)\n#set($context.responseOverride.header.a = 2)";
    assert_eq!(fault(twice), (2, 6, "`$context.responseOverride.header.a` is overridden twice".to_owned()));
    let twice = "#set($context.responseOverride.status = 200)#set($context.responseOverride.status = 200)";
    assert!(outcome(twice).is_err());
    assert!(outcome("#set($context.responseOverride.status = 'x')").is_err());
    assert_eq!(render("#set($context.requestId = 'x')$context.requestId"), "r-1");
}

#[test]
fn faults_name_line_and_column() {
    for (template, expected) in [
        ("a\n  #if(true)\nb", (2, 6, "`#if` without `#end`")),
        ("#end", (1, 5, "`#end` without a directive to end")),
        ("é #set($a 1)", (1, 11, "expected `=`, found `1`")),
        ("#set($a = )", (1, 11, "expected a value")),
        ("#foreach($a of [1])#end", (1, 15, "expected `in`")),
        ("#set($a = 'x)", (1, 11, "the string does not end")),
        ("#set($a = \"x\n$b.c(\")", (2, 6, "expected a value")),
        ("${a", (1, 4, "expected `}`, found the end")),
        ("x\n#macro(m)#end", (2, 1, "the sandbox does not have `#macro`")),
        ("#if(true)#else#else#end", (1, 20, "`#else` is the last branch of an `#if`")),
        ("$util.parseJson('{')", (1, 1, "`$util.parseJson` got no JSON")),
        ("\n $input.json('$[')", (2, 2, "`$[` is not a JSONPath")),
        ("#set($s = 'abc')$s.substring(9)", (1, 17, "the index is outside the string")),
    ] {
        let (line, column, message) = expected;
        assert_eq!(fault(template), (line, column, message.to_owned()), "{template}");
    }
}

#[test]
fn work_is_bounded() {
    // A loop ends after a thousand turns.
    assert_eq!(render("#foreach($i in [1..5000])x#end").len(), 1_000);
    for endless in [
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#end#end#end",
        "#set($s = 'aaaaaaaaaa')#foreach($i in [1..1000])#set($s = \"$s$s\")#end",
        "#foreach($a in [1..1000])#foreach($b in [1..1000])aaaaaaaaaaaaaaaaaaaaaaaaa#end#end",
        "#define($b)$b#end$b",
        "#set($l = [])#set($_ = $l.add($l))$l",
        "#set($l = [1])#foreach($i in [1..1000])#set($_ = $l.addAll($l))#end",
        "#set($l = [1])#foreach($i in [1..1000])#set($l = [$l, $l])#end$l",
        "#set($x = [0..999999999])",
        "#set($s = 'a')#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $s.matches('a+b'))#end#end",
    ] {
        assert!(outcome(endless).is_err(), "{endless}");
    }
    // Nesting that would exhaust the stack is refused when the template is parsed.
    for deep in [
        format!("#set($x = {}1{})", "(".repeat(5_000), ")".repeat(5_000)),
        format!("#set($x = {}1)", "!".repeat(5_000)),
        format!("#set($x = 1{})", " + 1".repeat(5_000)),
        "#if(true)".repeat(5_000),
        format!("$a{}", "[$a".repeat(5_000)),
        format!("$a{}", ".b($a".repeat(5_000)),
    ] {
        if let Ok(template) = Template::parse(&deep) {
            let _ = template.render(&fake());
        }
    }
    let nested = (0..1_000).map(|_| "#set($l = [$l])").collect::<String>();
    assert!(outcome(&format!("#set($l = []){nested}$l")).is_err());
}

#[test]
fn a_template_is_shared_among_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Template::parse("$context.requestId").expect("a template"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_parses_and_renders_or_is_refused(text in ".{0,80}") {
        let _ = outcome(&text);
    }

    #[test]
    fn any_text_of_velocitys_signs_ends(parts in prop::collection::vec(prop::sample::select(PARTS), 0..24)) {
        let text = parts.concat();
        if let Ok(rendered) = outcome(&text) {
            prop_assert!(rendered.body.len() <= MAX_OUTPUT);
        }
    }

    #[test]
    fn a_text_without_signs_renders_to_itself(text in "[^$#]{0,200}") {
        prop_assert_eq!(render(&text), text);
    }

    #[test]
    fn a_value_comes_out_as_it_went_in(text in "[^\\x00]{0,40}") {
        let fake = Fake::default().parameter(Location::QueryString, "q", &text);
        let template = Template::parse("$input.params('q')").expect("a template");
        prop_assert_eq!(template.render(&fake).expect("rendered").body, text.clone());
        let template = Template::parse("$util.urlDecode($util.urlEncode($input.params('q')))").expect("a template");
        prop_assert_eq!(template.render(&fake).expect("rendered").body, text.clone());
        let template = Template::parse("\"$util.escapeJavaScript($input.params('q')).replaceAll(\"\\\\'\", \"'\")\"").expect("a template");
        let json = template.render(&fake).expect("rendered").body;
        prop_assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
    }
}

const PARTS: &[&str] = &[
    "$",
    "#",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "\\",
    "!",
    ".",
    ",",
    ":",
    "..",
    " ",
    "\n",
    "a",
    "-",
    "+",
    "*",
    "/",
    "%",
    "==",
    "&&",
    "||",
    "<",
    "1",
    "2.5",
    "99999999999",
    "é",
    "$a",
    "${a",
    "$!",
    "$input",
    ".path(",
    ".json('$')",
    "'$..id'",
    ".body",
    "$context",
    ".responseOverride",
    ".status",
    "$util",
    ".parseJson(",
    "#set($a = ",
    "#set($a=[1..9])",
    "#if(",
    "#if(true)",
    "#else",
    "#elseif(false)",
    "#end",
    "#foreach($a in $a)",
    "#foreach($i in [1..1000])",
    "#break",
    "#stop",
    "#define($d)",
    "$d",
    "##",
    "#*",
    "*#",
    "#[[",
    "]]#",
    ".add($a)",
    ".put('k',$a)",
    ".size()",
    ".replaceAll('(a|b)+','$1')",
    ".split('')",
    ".substring(1)",
    "true",
    "[$a, $a]",
    "{'k': $a}",
];
