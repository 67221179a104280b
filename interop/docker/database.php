<?php
// The database server of the sites: php database.php wait | anew NAME | mark NAME | marked NAME
// A database is marked once its site is complete, so that an installation that was cut off is begun anew, not taken for a site.

$where = sprintf(
    "host='%s' port='%d' user=moodle password='%s' dbname=postgres connect_timeout=2",
    addcslashes(getenv('DATABASE_HOST') ?: '127.0.0.1', "'\\"),
    getenv('DATABASE_PORT') ?: 5432,
    addcslashes((string) getenv('DATABASE_PASSWORD'), "'\\")
);

/**
 * A connection, as soon as the server gives one.
 *
 * @param string $where how to reach it
 * @param int $patience seconds
 * @return resource|PgSql\Connection
 */
function connected(string $where, int $patience) {
    $until = time() + $patience;
    do {
        $connection = @pg_connect($where);
        if ($connection) {
            return $connection;
        }
        sleep(1);
    } while (time() < $until);
    fwrite(STDERR, "The database server gave no connection within $patience seconds.\n");
    exit(1);
}

[$what, $name] = [$argv[1] ?? '', $argv[2] ?? ''];
if ($what === 'wait') {
    connected($where, 120);
    exit(0);
}
if (!in_array($what, ['anew', 'mark', 'marked']) || !preg_match('/^[a-z]{1,20}$/', $name)) {
    fwrite(STDERR, "usage: php database.php wait | anew NAME | mark NAME | marked NAME, with a name of small letters\n");
    exit(2);
}
$connection = connected($where, 10);
$quoted = pg_escape_identifier($connection, $name);
if ($what === 'marked') {
    $comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1";
    exit(pg_fetch_result(pg_query_params($connection, $comment, [$name]), 0, 0) === 'complete' ? 0 : 1);
}
$orders = [
    'mark' => ["COMMENT ON DATABASE $quoted IS 'complete'"],
    'anew' => ["DROP DATABASE IF EXISTS $quoted", "CREATE DATABASE $quoted ENCODING 'UTF8' TEMPLATE template0"],
];
foreach ($orders[$what] as $order) {
    if (!pg_query($connection, $order)) {
        exit(1);
    }
}
