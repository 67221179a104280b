<?php
// This file is part of Moodle - http://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <http://www.gnu.org/licenses/>.

/**
 * Does in a Moodle what the interop suite needs done there, with that Moodle's own PHP and through its own API.
 *
 *     php provision.php [--moodle=FOLDER] COMMAND      one command: JSON on standard input, JSON on standard output
 *     php provision.php [--moodle=FOLDER] serve        many: {"command": ..., "input": {...}} in each line, one line back for each
 *     php provision.php help                           the commands
 *
 * FOLDER is where Moodle's config.php lies; without it the environment variable MOODLE_FOLDER or the current folder is taken.
 * What goes wrong is told as {"error": {...}} and, for a single command, by exit code 1. Moodle's own chatter goes to standard
 * error. Works with Moodle 4.1 to 5.x; needs nothing installed in it.
 *
 * Only for Moodles that are there to be tested: it makes and deletes users, courses and grades without asking anybody.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

if (PHP_SAPI !== 'cli') {
    exit(1);
}

define('CLI_SCRIPT', true);

[$folder, $command] = arguments($argv);
if ($command === 'help') {
    fwrite(STDOUT, implode("\n", array_keys(commands())) . "\n");
    exit(0);
}

// Nothing but answers may reach standard output: what Moodle prints (debugging, traces of tasks) is passed on to standard error.
ob_start(function ($text) {
    fwrite(STDERR, $text);
    return '';
}, 1);
$answered = false;
register_shutdown_function(function () use (&$answered) {
    if ($answered) {
        return;
    }
    $last = error_get_last();
    write_line(['error' => [
        'type' => 'exit',
        'message' => 'Moodle ended the script before it could answer' . ($last ? ": {$last['message']}" : '; see standard error'),
        'at' => $last ? "{$last['file']}:{$last['line']}" : '',
    ]]);
    exit(1);
});

// Moodle's configuration has to be read where its globals are: at the top level.
try {
    $config = find_config($folder);
} catch (\InvalidArgumentException $mistake) {
    $answered = true;
    write_line(['error' => describe($mistake)]);
    exit(1);
}
require($config);

if ($command === 'serve') {
    prepare();
    while (($line = fgets(STDIN)) !== false) {
        if (trim($line) === '') {
            continue;
        }
        try {
            $request = parse_json($line, 'the line');
            if (!isset($request['command']) || !is_string($request['command'])) {
                throw new \InvalidArgumentException('the line has no "command"');
            }
            write_line(['result' => run($request['command'], $request['input'] ?? [])]);
        } catch (\Throwable $error) {
            abandon_transactions();
            write_line(['error' => describe($error)]);
        }
    }
    $answered = true;
    exit(0);
}

try {
    $input = parse_json(stream_get_contents(STDIN), 'standard input');
    prepare();
    $result = run($command, $input);
    $answered = true;
    write_line($result);
    exit(0);
} catch (\Throwable $error) {
    abandon_transactions();
    $answered = true;
    write_line(['error' => describe($error)]);
    exit(1);
}

/**
 * Takes the command line apart.
 *
 * @param string[] $argv
 * @return array the folder ('' if none was given) and the command
 */
function arguments(array $argv): array {
    $folder = (string)getenv('MOODLE_FOLDER');
    $command = null;
    foreach (array_slice($argv, 1) as $argument) {
        if (strpos($argument, '--moodle=') === 0) {
            $folder = substr($argument, strlen('--moodle='));
        } else if ($command === null && $argument !== '' && $argument[0] !== '-') {
            $command = $argument;
        } else {
            fwrite(STDERR, "provision.php: “{$argument}” is not understood; usage: provision.php [--moodle=FOLDER] COMMAND\n");
            exit(2);
        }
    }
    if ($command === null) {
        fwrite(STDERR, "provision.php: no command given; “provision.php help” lists them\n");
        exit(2);
    }
    return [$folder === '' ? getcwd() : $folder, $command];
}

/**
 * Finds config.php: in the folder, or, where that is the public/ of a Moodle from 5.1 on, in the folder above.
 *
 * @param string $folder
 * @return string the file
 */
function find_config(string $folder): string {
    foreach ([$folder, dirname($folder)] as $place) {
        if (is_readable("$place/config.php") && (is_dir("$place/lib") || is_dir("$place/public/lib"))) {
            return "$place/config.php";
        }
    }
    throw new \InvalidArgumentException("no config.php of a Moodle in $folder; give the folder of an installed Moodle with --moodle=");
}

/**
 * Loads what the commands are made of and acts as the site's administrator.
 */
function prepare(): void {
    foreach (glob(__DIR__ . '/*.php') as $file) {
        if ($file !== __FILE__) {
            require_once($file);
        }
    }
    \core\session\manager::set_user(get_admin());
}

/**
 * Every command with the function that carries it out.
 *
 * @return string[]
 */
function commands(): array {
    return [
        'versions' => 'site::versions',
        'rc4' => 'site::rc4',
        'settings_get' => 'site::settings_get',
        'settings_set' => 'site::settings_set',
        'host_of' => 'site::host_of',
        'sql' => 'site::sql',
        'cron' => 'site::cron',
        'user_create' => 'people::create',
        'user_update' => 'people::update',
        'user_suspend' => 'people::suspend',
        'user_delete' => 'people::delete',
        'category_create' => 'courses::category_create',
        'course_create' => 'courses::create',
        'course_update' => 'courses::update',
        'course_move' => 'courses::move',
        'course_delete' => 'courses::delete',
        'enrol' => 'enrolments::enrol',
        'unenrol' => 'enrolments::unenrol',
        'enrolment_suspend' => 'enrolments::suspend',
        'role_assign' => 'enrolments::role_assign',
        'role_unassign' => 'enrolments::role_unassign',
        'assignment_create' => 'activities::assignment_create',
        'quiz_create' => 'activities::quiz_create',
        'quiz_attempt' => 'activities::quiz_attempt',
        'activity_delete' => 'activities::delete',
        'item_create' => 'gradebook::item_create',
        'item_update' => 'gradebook::item_update',
        'item_delete' => 'gradebook::item_delete',
        'grade' => 'gradebook::grade',
        'override' => 'gradebook::override',
        'exclude' => 'gradebook::exclude',
        'grade_delete' => 'gradebook::grade_delete',
        'grade_get' => 'gradebook::grade_get',
        'regrade' => 'gradebook::regrade',
        'fill' => 'bulk::fill',
        'change' => 'changes::run',
        'truth' => 'truth::tell',
        'ids' => 'truth::ids',
        'cleanup' => 'cleanup::run',
    ];
}

/**
 * Carries out one command.
 *
 * @param string $command
 * @param array $input
 * @return array the answer; "done_at" in it is when the command was done, in Unix seconds with fractions
 */
function run(string $command, array $input): array {
    $commands = commands();
    if (!isset($commands[$command])) {
        throw new \InvalidArgumentException("there is no command “{$command}”; “provision.php help” lists them");
    }
    $result = call_user_func(__NAMESPACE__ . '\\' . $commands[$command], new input($input));
    return $result + ['done_at' => microtime(true)];
}

/**
 * Parses a JSON object; nothing at all is an empty one.
 *
 * @param string $text
 * @param string $what what it is, for the error
 * @return array
 */
function parse_json(string $text, string $what): array {
    if (trim($text) === '') {
        return [];
    }
    $value = json_decode($text, true);
    if (!is_array($value)) {
        throw new \InvalidArgumentException("$what is not a JSON object: " . json_last_error_msg());
    }
    return $value;
}

/**
 * Writes one line of JSON to the real standard output.
 *
 * @param array $value
 */
function write_line(array $value): void {
    $text = json_encode($value ?: new \stdClass(), JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION);
    if ($text === false) {
        $text = json_encode(['error' => ['type' => 'json', 'message' => 'the answer cannot be written as JSON: '
            . json_last_error_msg(), 'at' => '']]);
    }
    fwrite(STDOUT, $text . "\n");
    fflush(STDOUT);
}

/**
 * An error as it is told.
 *
 * @param \Throwable $error
 * @return array
 */
function describe(\Throwable $error): array {
    return [
        'type' => get_class($error),
        'message' => $error->getMessage() . (empty($error->debuginfo) ? '' : ' (' . $error->debuginfo . ')'),
        'at' => $error->getFile() . ':' . $error->getLine(),
    ];
}

/**
 * Ends what an error left open in the database, so that the next command begins clean.
 */
function abandon_transactions(): void {
    global $DB;
    if ($DB && $DB->is_transaction_started()) {
        $DB->force_transaction_rollback();
    }
}
