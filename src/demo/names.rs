//! What people and courses of a made-up school are called.

/// A name, and how it is spelt in a username.
type Name = (&'static str, &'static str);

#[rustfmt::skip] // a name a line would be all of the file
pub(super) const FIRST_NAMES: &[Name] = &[
    ("Kari", "kari"), ("Ola", "ola"), ("Bjørn", "bjorn"), ("Åse", "aase"), ("Søren", "soren"), ("Øyvind", "oyvind"),
    ("Ingrid", "ingrid"), ("Astrid", "astrid"), ("Lars", "lars"), ("Maja", "maja"), ("Jürgen", "jurgen"), ("Käthe", "kathe"),
    ("Anna", "anna"), ("Lukas", "lukas"), ("Zoë", "zoe"), ("François", "francois"), ("Chloé", "chloe"), ("Émile", "emile"),
    ("José", "jose"), ("María", "maria"), ("Íñigo", "inigo"), ("Lucía", "lucia"), ("Begoña", "begona"), ("João", "joao"),
    ("Inês", "ines"), ("Giulia", "giulia"), ("Niccolò", "niccolo"), ("Łukasz", "lukasz"), ("Zofia", "zofia"), ("Agnieszka", "agnieszka"),
    ("Jiří", "jiri"), ("Šárka", "sarka"), ("Ágnes", "agnes"), ("Gergő", "gergo"), ("Ștefan", "stefan"), ("Ioana", "ioana"),
    ("Νίκος", "nikos"), ("Ελένη", "eleni"), ("Дмитрий", "dmitri"), ("Ольга", "olga"), ("Оксана", "oksana"), ("İbrahim", "ibrahim"),
    ("Ayşe", "ayse"), ("محمد", "muhammad"), ("ليلى", "layla"), ("נועה", "noa"), ("David", "david"), ("Priya", "priya"),
    ("अर्जुन", "arjun"), ("Nguyễn", "nguyen"), ("Linh", "linh"), ("花子", "hanako"), ("太郎", "taro"), ("さくら", "sakura"),
    ("伟", "wei"), ("민준", "minjun"), ("서연", "seoyeon"), ("Amara", "amara"), ("Kwame", "kwame"), ("Thandiwe", "thandiwe"),
    ("Emily", "emily"), ("Oliver", "oliver"), ("Siobhán", "siobhan"), ("Jack", "jack"), ("Grace", "grace"), ("Noah", "noah"),
    ("Olivia", "olivia"), ("Liam", "liam"), ("Sophia", "sophia"), ("Mateo", "mateo"), ("Valentina", "valentina"), ("Finn", "finn"),
];

#[rustfmt::skip] // a name a line would be all of the file
pub(super) const LAST_NAMES: &[Name] = &[
    ("Nordmann", "nordmann"), ("Ødegård", "odegard"), ("Sørensen", "sorensen"), ("Åkesson", "akesson"), ("Bjørnson", "bjornson"),
    ("Hansen", "hansen"), ("Johansen", "johansen"), ("Lindström", "lindstrom"), ("Müller", "mueller"), ("Schäfer", "schafer"),
    ("Weiß", "weiss"), ("Schmidt", "schmidt"), ("Lefèvre", "lefevre"), ("D'Arcy", "darcy"), ("Garçon", "garcon"),
    ("Núñez", "nunez"), ("Ñíguez", "niguez"), ("García", "garcia"), ("López", "lopez"), ("Gonçalves", "goncalves"),
    ("Esposito", "esposito"), ("De Luca", "deluca"), ("Kowalczyk", "kowalczyk"), ("Wójcik", "wojcik"), ("Łęcki", "lecki"),
    ("Dvořák", "dvorak"), ("Čapek", "capek"), ("Szabó", "szabo"), ("Kőszegi", "koszegi"), ("Țepeș", "tepes"),
    ("Παπαδόπουλος", "papadopoulos"), ("Иванов", "ivanov"), ("Шевченко", "shevchenko"), ("Yılmaz", "yilmaz"), ("Öztürk", "ozturk"),
    ("الخطيب", "alkhatib"), ("כהן", "cohen"), ("Sharma", "sharma"), ("शर्मा", "sharma"), ("Trần", "tran"),
    ("Phạm", "pham"), ("山田", "yamada"), ("日本", "nihon"), ("佐藤", "sato"), ("王", "wang"),
    ("李", "li"), ("김", "kim"), ("박", "park"), ("Okafor", "okafor"), ("Mensah", "mensah"),
    ("Nkosi", "nkosi"), ("O'Brien", "obrien"), ("Ní Dhomhnaill", "nidhomhnaill"), ("Smith", "smith"), ("Jones", "jones"),
    ("Taylor", "taylor"), ("Brown", "brown"), ("Williams", "williams"), ("Wilson", "wilson"), ("Evans", "evans"),
    ("Thomas", "thomas"), ("Roberts", "roberts"), ("Walker", "walker"), ("Wright", "wright"), ("Robinson", "robinson"),
    ("Thompson", "thompson"), ("White", "white"), ("Hughes", "hughes"), ("Edwards", "edwards"), ("Green", "green"),
    ("van der Berg", "vanderberg"), ("de Vries", "devries"), ("MacLeod", "macleod"), ("Fraser", "fraser"), ("Silva", "silva"),
    ("Santos", "santos"), ("Rossi", "rossi"), ("Ferrari", "ferrari"), ("Novák", "novak"), ("Horváth", "horvath"),
];

#[rustfmt::skip] // a name a line would be all of the file
pub(super) const CITIES: &[&str] = &["Bergen", "Tromsø", "København", "Göteborg", "Łódź", "İzmir", "東京", "São Paulo", "Leeds"];

#[rustfmt::skip] // a name a line would be all of the file
pub(super) const COURSES: &[&str] = &[
    "Biology", "Mathematics", "English", "History", "Chemistry", "Physics", "Geography", "Español", "Français", "日本語",
    "Music", "Art", "Computer science", "Philosophy", "Economics", "Norsk språk og litteratur",
];

/// What a course without a term is.
#[rustfmt::skip] // a name a line would be all of the file
pub(super) const ONGOING: &[&str] = &["Homeroom", "Library", "School choir", "Reading circle", "Sport"];

#[rustfmt::skip] // a name a line would be all of the file
pub(super) const ASSESSMENTS: &[&str] = &["Quiz", "Test", "Essay", "Lab report", "Presentation", "Homework", "Project", "Exam"];

pub(super) const WITHDRAWAL_NOTES: &[&str] = &[
    "Moved away",
    "Changed to another class",
    "Took the course elsewhere",
    "Ill for the rest of the term",
    "Dropped on the parents' wish – form received",
];

/// How somebody in the office signs what was entered by hand.
pub(super) const OFFICE: &str = "office";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_ascii_and_lower_case() {
        for (name, spelt) in FIRST_NAMES.iter().chain(LAST_NAMES) {
            assert!(
                !spelt.is_empty() && spelt.bytes().all(|byte| byte.is_ascii_lowercase()),
                "{name}: {spelt}"
            );
        }
    }
}
