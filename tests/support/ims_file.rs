//! IMS Enterprise files of any size, the same for the same seed. Needs nothing of mnetd: benchmarks use it as well.

use std::io::{self, Write};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How much is to be in a file.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// People.
    pub people: usize,
    /// Groups.
    pub groups: usize,
    /// Memberships, spread evenly over the groups. Nobody is in a group twice.
    pub memberships: usize,
    /// What the random parts are made from.
    pub seed: u64,
}

impl Plan {
    /// How many records that is.
    pub fn records(&self) -> usize {
        self.people + self.groups + self.memberships
    }

    /// Writes the file, as a student record system does: an element a line, people first, the members of a group together.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut random = StdRng::seed_from_u64(self.seed);
        out.write_all(BEGINNING)?;
        for number in 0..self.people {
            person(&mut out, &mut random, number)?;
        }
        for number in 0..self.groups {
            group(&mut out, number)?;
        }
        for number in 0..self.groups {
            let size = self.memberships * (number + 1) / self.groups
                - self.memberships * number / self.groups;
            membership(&mut out, &mut random, number, size, self.people)?;
        }
        out.write_all(b"</enterprise>\n")?;
        out.flush()
    }
}

const BEGINNING: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<enterprise>
<properties>
<datasource>SIS</datasource>
<type>CREATE</type>
<datetime>2026-09-01T04:00:00</datetime>
</properties>
";

const GIVEN: [&str; 12] = [
    "Kari", "Ola", "Íñigo", "Mei", "Aoife", "José", "Ada", "Søren", "Zoë", "Ali", "Nora", "Jan",
];

const FAMILY: [&str; 12] = [
    "Nordmann",
    "Ødegård",
    "Núñez",
    "O'Brien",
    "Li",
    "Smith &amp; Jones",
    "Fjord",
    "van der Berg",
    "Kowalska",
    "García",
    "Müller",
    "Dupont",
];

fn person(out: &mut impl Write, random: &mut StdRng, number: usize) -> io::Result<()> {
    let given = GIVEN[random.random_range(0..GIVEN.len())];
    let family = FAMILY[random.random_range(0..FAMILY.len())];
    let phone: u32 = random.random_range(10_000_000..99_999_999);
    writeln!(
        out,
        "<person recstatus=\"1\">
<sourcedid>
<source>SIS</source>
<id>{id}</id>
</sourcedid>
<userid useridtype=\"Logon ID\">user{number}</userid>
<userid useridtype=\"SCTID\">A{number:08}</userid>
<name>
<fn>{given} {family}</fn>
<n>
<family>{family}</family>
<given>{given}</given>
</n>
</name>
<email>user{number}@school.example</email>
<tel teltype=\"1\">{phone}</tel>
<adr>
<locality>Northfield</locality>
<country>NO</country>
</adr>
<institutionrole primaryrole=\"Yes\" institutionroletype=\"Student\"/>
</person>",
        id = person_id(number),
    )
}

/// Ids as they are given out: no order in them.
fn person_id(number: usize) -> usize {
    // An odd factor keeps numbers below a power of two apart.
    10_000_000 + (number * 7_368_787) % (1 << 24)
}

fn group(out: &mut impl Write, number: usize) -> io::Result<()> {
    writeln!(
        out,
        "<group>
<sourcedid>
<source>SIS</source>
<id>{number}.202610</id>
</sourcedid>
<grouptype>
<scheme>Luminis</scheme>
<typevalue level=\"1\">CourseSection</typevalue>
</grouptype>
<description>
<short>{number}</short>
<long>Course {number}</long>
</description>
<org>
<orgname>Northfield College</orgname>
<orgunit>Department {unit}</orgunit>
</org>
<timeframe>
<begin restrict=\"0\">2026-09-01</begin>
<end restrict=\"0\">2027-01-31</end>
<adminperiod>Autumn 2026</adminperiod>
</timeframe>
</group>",
        unit = number % 40
    )
}

fn membership(
    out: &mut impl Write,
    random: &mut StdRng,
    group: usize,
    size: usize,
    people: usize,
) -> io::Result<()> {
    writeln!(
        out,
        "<membership>
<sourcedid>
<source>SIS</source>
<id>{group}.202610</id>
</sourcedid>"
    )?;
    // A step without a common factor visits everybody once before anybody twice.
    let mut place = random.random_range(0..people);
    let step = coprime(random.random_range(1..people.max(2)), people);
    for member in 0..size.min(people) {
        let role = if member == 0 { "02" } else { "01" };
        writeln!(
            out,
            "<member>
<sourcedid>
<source>SIS</source>
<id>{id}</id>
</sourcedid>
<idtype>1</idtype>
<role roletype=\"{role}\">
<status>1</status>
<timeframe>
<begin restrict=\"0\">2026-09-01</begin>
<end restrict=\"0\">2027-01-31</end>
</timeframe>
</role>
</member>",
            id = person_id(place)
        )?;
        place = (place + step) % people;
    }
    writeln!(out, "</membership>")
}

fn coprime(mut step: usize, people: usize) -> usize {
    while divisor(step, people) != 1 {
        step += 1;
    }
    step
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}
