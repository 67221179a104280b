<?php
// Prints the config.php of a Moodle site, from the environment and its data folder: php config.php FOLDER

if ($argc !== 2) {
    fwrite(STDERR, "usage: php config.php FOLDER-OF-THE-DATA\n");
    exit(2);
}
$settings = [
    'dbtype' => 'pgsql',
    'dblibrary' => 'native',
    'dbhost' => getenv('DATABASE_HOST') ?: '127.0.0.1',
    'dbname' => getenv('SITE'),
    'dbuser' => 'moodle',
    'dbpass' => getenv('DATABASE_PASSWORD'),
    'prefix' => 'mdl_',
    'dboptions' => ['dbpersist' => 0, 'dbport' => (int) (getenv('DATABASE_PORT') ?: 5432), 'dbsocket' => ''],
    'wwwroot' => getenv('URL'),
    'dataroot' => $argv[1],
    'admin' => 'admin',
    'directorypermissions' => 02777,
    // Cookies do not tell ports apart, and all sites here are 127.0.0.1.
    'sessioncookie' => getenv('SITE'),
    'noemailever' => true,
    'disableupdatenotifications' => true,
];
echo "<?php\n// Written when the container starts.\nunset(\$CFG);\nglobal \$CFG;\n\$CFG = new stdClass();\n";
foreach ($settings as $name => $value) {
    echo "\$CFG->$name = ", var_export($value, true), ";\n";
}
// Where it stands from Moodle 5.1 on, and where before.
echo "require_once(is_file(__DIR__ . '/public/lib/setup.php') ? __DIR__ . '/public/lib/setup.php' : __DIR__ . '/lib/setup.php');\n";
