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
 * Part of mnetd's interop suite: arranges things inside a Moodle for it, and tells what stands there.
 *
 *   php provision.php MOODLE-FOLDER SUBCOMMAND < input.json
 *
 * The input is a JSON value on standard input. One line of JSON comes back: {"answer": …} with exit code 0, or {"error": "…"} with exit code 1.
 * With the subcommand serve each line of the input is {"do": subcommand, "with": input}, and has a line for an answer. What takes long
 * tells how far it is in lines {"progress": …} before that.
 * Runs on Moodle 4.1 (PHP 7.4) and later, with nothing installed there. For test sites: it makes and deletes users, courses and
 * peers, all of them with names that begin with "interop-" or with addresses that the suite names.
 *
 * The subcommands stand in provision/: each file returns an array of name => function of the decoded input.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

define('CLI_SCRIPT', true);

if ($argc !== 3) {
    fwrite(STDERR, "usage: php provision.php MOODLE-FOLDER SUBCOMMAND < input.json\n");
    exit(2);
}
// From 5.1 on config.php may be asked for with the folder public/ beside it.
$config = is_readable($argv[1] . '/config.php') ? $argv[1] . '/config.php' : dirname($argv[1]) . '/config.php';
if (!is_readable($config)) {
    echo json_encode(['error' => $argv[1] . ' holds no config.php that can be read: name the folder of an installed Moodle']), "\n";
    exit(1);
}
require($config);

/**
 * All subcommands.
 *
 * @return callable[] by name
 */
function interop_subcommands(): array {
    // The files are read as if from here.
    global $CFG;
    $commands = [];
    foreach (glob(__DIR__ . '/provision/*.php') as $file) {
        $commands += require($file);
    }
    return $commands;
}

/**
 * Does what a subcommand says.
 *
 * @param callable[] $commands all there are
 * @param string $name which
 * @param mixed $input for it, as decoded from JSON: objects as stdClass
 * @return mixed its answer
 */
function interop_do(array $commands, string $name, $input) {
    if ($name === 'batch') {
        return array_map(function ($step) use ($commands) {
            return interop_do($commands, $step->do, $step->with);
        }, $input);
    }
    if (!isset($commands[$name])) {
        throw new invalid_argument_exception("there is no subcommand $name; expected one of " . implode(', ', array_keys($commands)));
    }
    return $commands[$name]($input);
}

/**
 * Why something went wrong, in one text.
 *
 * @param Throwable $e what was thrown
 * @return string
 */
function interop_reason(Throwable $e): string {
    $more = $e instanceof moodle_exception && !empty($e->debuginfo) ? ' (' . $e->debuginfo . ')' : '';
    return $e->getMessage() . $more . ' [' . basename($e->getFile()) . ':' . $e->getLine() . ']';
}

class invalid_argument_exception extends InvalidArgumentException {
}

/**
 * Writes a line of JSON, past everything that is held back.
 *
 * @param array $line
 */
function interop_line(array $line): void {
    $how = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION;
    fwrite(STDOUT, json_encode($line, $how) . "\n");
}

/**
 * Decodes what was asked for.
 *
 * @param string $text JSON; nothing at all is an empty object
 * @return mixed
 */
function interop_decoded(string $text) {
    $text = trim($text);
    $input = json_decode($text === '' ? '{}' : $text);
    if ($input === null && $text !== 'null') {
        throw new invalid_argument_exception('the input is no JSON: ' . json_last_error_msg());
    }
    return $input;
}

/**
 * Does one thing and writes its line.
 *
 * @param callable $what
 * @return bool whether it went well
 */
function interop_told_in_a_line(callable $what): bool {
    global $DB;
    try {
        interop_line(['answer' => $what()]);
        return true;
    } catch (Throwable $e) {
        // What it left open in the database would be in the way of the next.
        if ($DB->is_transaction_started()) {
            $DB->force_transaction_rollback();
        }
        interop_line(['error' => interop_reason($e)]);
        return false;
    }
}

// Moodle's own functions print notices now and then; none of them may stand in the lines that are read.
ob_start(function ($noise) {
    fwrite(STDERR, $noise);
    return '';
}, 1);
\core\session\manager::set_user(get_admin());
if ($argv[2] !== 'serve') {
    $went = interop_told_in_a_line(function () use ($argv) {
        return interop_do(interop_subcommands(), $argv[2], interop_decoded(stream_get_contents(STDIN)));
    });
    exit($went ? 0 : 1);
}
$commands = interop_subcommands();
while (($line = fgets(STDIN)) !== false) {
    interop_told_in_a_line(function () use ($commands, $line) {
        $step = interop_decoded($line);
        return interop_do($commands, $step->do, $step->with);
    });
}
