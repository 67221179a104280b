<?php
// Whether check.php finds what it is for: php moodle/ci/check_test.php
//
// A sound plugin is written into a folder of its own and passes; then each case puts one thing wrong in it, and the check has to
// say so, and to say nothing else.

const HEAD = <<<'END'
<?php
// This file is part of Moodle - http://moodle.org/

/**
 * A file.
 *
 * @package    local_sound
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

END;

const SOUND = [
    'version.php' => HEAD . "\$plugin->component = 'local_sound';\n",
    'lang/en/local_sound.php' => HEAD . <<<'END'
$string['apples'] = 'Apples';
$string['apples_help'] = 'They grow on trees.';
$string['kind_green'] = 'Green';
$string['pears'] = 'Pears';
$string['pluginname'] = 'Sound';
$string['privacy:metadata'] = 'Nothing is kept.';
$string['relish_description'] = 'Offers relish.';
$string['relish_name'] = 'Relish';
$string['sound:eat'] = 'Eat fruit';

END,
    'db/access.php' => HEAD . "\$capabilities = ['local/sound:eat' => ['captype' => 'read']];\n",
    'db/mnet.php' => HEAD . "\$publishes = ['relish' => ['apiversion' => 1]];\n",
    'classes/privacy/provider.php' => HEAD . "return 'privacy:metadata';\n",
    'classes/fruit.php' => HEAD . <<<'END'
class fruit {
    public function name(?string $kind = null, int $flags = 1 | 2): ?string {
        try {
            $old = $this->match(new lang_string('kind_' . $kind, 'local_sound'));
        } catch (Exception $e) {
            throw $e;
        }
        return $old ? get_string('apples', 'local_sound') : get_string('never');
    }
}

END,
    'templates/fruit.mustache' => "<p>{{#str}} pears, local_sound {{/str}}</p>\n",
    'db/install.xml' => <<<'END'
<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="local/sound/db" VERSION="20261125" COMMENT="Fruit">
  <TABLES>
    <TABLE NAME="local_sound_fruit" COMMENT="Fruit">
      <FIELDS>
        <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
        <FIELD NAME="name" TYPE="char" LENGTH="255" NOTNULL="true" SEQUENCE="false"/>
        <FIELD NAME="story" TYPE="text" NOTNULL="false" SEQUENCE="false"/>
      </FIELDS>
      <KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS>
      <INDEXES><INDEX NAME="name" UNIQUE="true" FIELDS="name"/></INDEXES>
    </TABLE>
  </TABLES>
</XMLDB>

END,
];

// What is wrong => [the file, what stands there, what is put in its place, a part of what has to be said].
const CASES = [
    'a string that is not there' => ['classes/fruit.php', "'apples'", "'plums'", "'plums' is asked for"],
    'a string of a template that is not there' => ['templates/fruit.mustache', 'pears', 'plums', "'plums' is asked for"],
    'no string with that beginning' => ['classes/fruit.php', "'kind_'", "'size_'", "'size_…' are asked for"],
    'a capability without a name' => ['db/access.php', 'sound:eat', 'sound:cook', "'sound:cook' is asked for"],
    'a service without a name' => ['db/mnet.php', "'relish'", "'mustard'", "'mustard_name' is asked for"],
    'a string that nobody asks for' => ['lang/en/local_sound.php', "\$string['pears']", "\$string['nuts'] = '';\n\$string['pears']", "nobody asks for 'nuts'"],
    'strings out of order' => ['lang/en/local_sound.php', "\$string['pluginname'] = 'Sound';\n\$string['privacy:metadata'] = 'Nothing is kept.';\n",
        "\$string['privacy:metadata'] = 'Nothing is kept.';\n\$string['pluginname'] = 'Sound';\n", "'pluginname' belongs before"],
    'a string twice' => ['lang/en/local_sound.php', "\$string['pears'] = 'Pears';\n", "\$string['pears'] = '';\n\$string['pears'] = '';\n", "'pears' stands here twice"],
    'no notice' => ['version.php', 'This file is part of', 'Taken from', 'notice about its licence'],
    'the package of another' => ['version.php', '@package    local_sound', '@package    local_other', 'says @package local_other'],
    'no licence' => ['version.php', ' * @license', ' * @licence', 'says no @license'],
    'white space at the end of a line' => ['version.php', "';\n", "'; \n", 'ends in white space'],
    'a tab' => ['version.php', '$plugin', "\t\$plugin", 'has a tab'],
    'a closing tag' => ['version.php', "';\n", "';\n?>\n", 'has a closing tag'],
    'line ends of Windows' => ['version.php', "';\n", "';\r\n", 'ends in white space'],
    'a line that is too long' => ['version.php', "';\n", "'; // äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü.\n", 'has 181 characters'],
    'bytes that are no UTF-8' => ['version.php', "';\n", "\xfc';\n", 'is not UTF-8'],
    'match' => ['classes/fruit.php', 'throw $e;', 'return match (1) { 1 => null };', "does not know 'match'"],
    'the nullsafe arrow' => ['classes/fruit.php', '$this->match', '$this?->match', "does not know '?->'"],
    'a function of PHP 8' => ['classes/fruit.php', 'throw $e', "str_contains('a', 'b')", 'has no function str_contains'],
    'properties in the constructor' => ['classes/fruit.php', 'public function name(', "public function __construct(private int \$a) {\n    }\n    public function name(", 'constructors that declare'],
    'a type of several' => ['classes/fruit.php', '?string $kind', 'int|string $kind', "the type '|'"],
    'a type of several returned' => ['classes/fruit.php', '): ?string', '): string|int', "in what a function returns"],
    'a comma behind the last parameter' => ['classes/fruit.php', '1 | 2)', '1 | 2,)', 'comma behind the last parameter'],
    'an argument by name' => ['classes/fruit.php', 'match(new', 'match(kind: new', "by name ('kind:')"],
    'a catch without a variable' => ['classes/fruit.php', '(Exception $e)', '(Exception)', 'needs a variable'],
    'throw in an expression' => ['classes/fruit.php', 'return $old ?', 'return $kind ?? throw $old ?', "'throw' as a statement"],
    'XML that is none' => ['db/install.xml', '</FIELDS>', '', 'no well-formed XML'],
    'the path of another plugin' => ['db/install.xml', 'local/sound/db', 'local/other/db', 'PATH is local/sound/db'],
    'the table of another plugin' => ['db/install.xml', 'local_sound_fruit', 'fruit', 'begins with local_sound'],
    'a name of a table that is too long' => ['db/install.xml', 'local_sound_fruit', 'local_sound_fruit_in_the_basket', '28 is the most'],
    'a type that is none' => ['db/install.xml', 'TYPE="text"', 'TYPE="string"', "has the TYPE 'string'"],
    'an index on a field that is not there' => ['db/install.xml', 'UNIQUE="true" FIELDS="name"', 'UNIQUE="true" FIELDS="names"', "has no field 'names'"],
    'an index on a text' => ['db/install.xml', 'UNIQUE="true" FIELDS="name"', 'UNIQUE="true" FIELDS="story"', 'databases differ about text'],
    'no primary key' => ['db/install.xml', 'TYPE="primary"', 'TYPE="unique"', 'needs a field id'],
    'a length that is too long' => ['db/install.xml', 'LENGTH="255"', 'LENGTH="2000"', 'expected 1 to 1333'],
];

/**
 * Writes a plugin and checks it.
 *
 * @param string[] $files text by name
 * @return array of the exit code, and the lines about faults
 */
function checked(array $files): array {
    $folder = sys_get_temp_dir() . '/mnetd-check-' . bin2hex(random_bytes(6));
    foreach ($files as $name => $text) {
        $path = "$folder/local_sound/$name";
        is_dir(dirname($path)) || mkdir(dirname($path), 0700, true);
        file_put_contents($path, $text);
    }
    exec(escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg(__DIR__ . '/check.php') . ' ' . escapeshellarg("$folder/local_sound") . ' 2>&1', $lines, $code);
    $all = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS), RecursiveIteratorIterator::CHILD_FIRST);
    foreach ($all as $each) {
        $each->isDir() ? rmdir($each->getPathname()) : unlink($each->getPathname());
    }
    rmdir($folder);
    return [$code, array_slice($lines, 0, -1)];
}

$failed = 0;
[$code, $faults] = checked(SOUND);
if ($code !== 0 || $faults) {
    echo "the sound plugin is found fault with:\n  ", implode("\n  ", $faults), "\n";
    $failed++;
}
foreach (CASES as $name => [$file, $old, $new, $said]) {
    $files = SOUND;
    $files[$file] = str_replace($old, $new, $files[$file], $replaced);
    [$code, $faults] = checked($files);
    // Where the name of a string or a service changes, the one that was asked for before is asked for no more.
    $others = array_filter($faults, function (string $fault) use ($said) {
        return strpos($fault, $said) === false && strpos($fault, 'nobody asks for') === false && strpos($fault, '_description') === false;
    });
    if ($replaced < 1 || $code !== 1 || count($faults) === 0 || $others || !preg_grep('/' . preg_quote($said, '/') . '/', $faults)) {
        echo "$name: expected '$said' with exit code 1, got exit code $code and:\n  ", implode("\n  ", $faults) ?: '(nothing)', "\n";
        $failed++;
    }
}
printf("%d passed, %d failed\n", count(CASES) + 1 - $failed, $failed);
exit($failed > 0 ? 1 : 0);
