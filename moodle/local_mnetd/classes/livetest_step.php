<?php
// This file is part of Moodle - https://moodle.org/
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
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

namespace local_mnetd;

use core\check\result;

/**
 * One line of a live test. It holds what was found rather than a sentence, so that it can be stored and read in any language.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class livetest_step {
    /** @var string[] the statuses from good to bad. */
    const ORDER = [result::OK, result::NA, result::INFO, result::UNKNOWN, result::WARNING, result::ERROR, result::CRITICAL];

    /** @var string what was tried: the strings test_KIND and test_KIND_OUTCOME name it. */
    public $kind;

    /** @var string how it ended. */
    public $outcome;

    /** @var string one of core\check\result's constants. */
    public $status;

    /** @var string[] what the strings want filled in, as plain text. */
    public $a;

    /**
     * A line.
     *
     * @param string $kind what was tried
     * @param string $outcome how it ended
     * @param string $status one of core\check\result's constants
     * @param string[] $a what the strings want filled in, as plain text
     */
    public function __construct(string $kind, string $outcome, string $status, array $a = []) {
        $this->kind = $kind;
        $this->outcome = $outcome;
        $this->status = in_array($status, self::ORDER, true) ? $status : result::UNKNOWN;
        $this->a = $a;
    }

    /**
     * What was tried.
     *
     * @return string
     */
    public function name(): string {
        return get_string('test_' . $this->kind, 'local_mnetd');
    }

    /**
     * How it ended.
     *
     * @return string HTML
     */
    public function summary(): string {
        if ($this->outcome === 'untried') {
            return get_string('test_untried', 'local_mnetd');
        }
        return get_string('test_' . $this->kind . '_' . $this->outcome, 'local_mnetd', array_map('s', $this->a));
    }

    /**
     * What to do next.
     *
     * @return string HTML, empty where there is nothing to do
     */
    public function help(): string {
        $key = 'test_' . $this->kind . '_' . $this->outcome . '_help';
        if (!get_string_manager()->string_exists($key, 'local_mnetd')) {
            return '';
        }
        return get_string($key, 'local_mnetd', array_map('s', $this->a));
    }

    /**
     * How bad it is, for comparison with another.
     *
     * @return int
     */
    public function weight(): int {
        return (int) array_search($this->status, self::ORDER, true);
    }
}
