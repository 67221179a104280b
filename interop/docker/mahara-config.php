<?php
// Prints the config.php of a Mahara site, from the environment and its data folder: php mahara-config.php FOLDER

if ($argc !== 2) {
    fwrite(STDERR, "usage: php mahara-config.php FOLDER-OF-THE-DATA\n");
    exit(2);
}
$settings = [
    'dbtype' => 'postgres',
    'dbhost' => getenv('DATABASE_HOST') ?: '127.0.0.1',
    'dbport' => (int) (getenv('DATABASE_PORT') ?: 5432),
    'dbname' => getenv('DATABASE') ?: 'mahara',
    'dbuser' => 'moodle',
    'dbpass' => getenv('DATABASE_PASSWORD'),
    'dataroot' => $argv[1],
    'wwwroot' => rtrim(getenv('URL'), '/') . '/',
    'urlsecret' => null,
    // The salt goes into the hashes of the passwords: the same at every start.
    'passwordsaltmain' => hash('sha256', 'interop ' . getenv('ADMIN_PASSWORD')),
    'productionmode' => true,
    'sendemail' => false,
    'directorypermissions' => 02777,
];
echo "<?php\n// Written when the container starts.\n\$cfg = new stdClass();\n";
foreach ($settings as $name => $value) {
    echo "\$cfg->$name = ", var_export($value, true), ";\n";
}
