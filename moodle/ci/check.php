<?php
// Checks the Moodle plugins beside this folder without a Moodle: php moodle/ci/check.php [FOLDER-OF-A-PLUGIN …]
//
// What it looks at: the strings that are asked for and those that lang/en has, db/install.xml, the head of every file, and
// words that PHP 7.4 (Moodle 4.1) does not know. Whether a file parses is `php -l`'s to say, and style is moodle-cs's.
// Every fault is one line, with file and line where there is one; exit code 1 if there was any, 2 if there was nothing to check.

require(__DIR__ . '/plugin.php');
require(__DIR__ . '/strings.php');
require(__DIR__ . '/xmldb.php');
require(__DIR__ . '/files.php');

$folders = array_slice($argv, 1) ?: array_map('dirname', glob(dirname(__DIR__) . '/*_*/version.php'));
if (!$folders) {
    fwrite(STDERR, "No plugin here: a plugin is a folder such as local_mnetd, with a version.php.\n");
    exit(2);
}
$count = 0;
foreach ($folders as $folder) {
    $plugin = new plugin(rtrim($folder, '/'));
    $faults = array_merge(file_faults($plugin), xmldb_faults($plugin), string_faults($plugin));
    foreach ($faults as $fault) {
        echo $fault, "\n";
    }
    $count += count($faults);
    printf("%s: %d files, %d strings, %d faults\n", $plugin->component, count($plugin->files()), count($plugin->strings()), count($faults));
}
exit($count > 0 ? 1 : 0);
