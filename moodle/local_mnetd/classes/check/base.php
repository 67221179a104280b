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

namespace local_mnetd\check;

use core\check\check;
use core\check\result;

/**
 * One thing that has to be right for the exchange with the register: what is wrong, where, and what to do next.
 *
 * Shown on the plugin's own page and among Moodle's status checks. None of these calls another machine.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
abstract class base extends check {
    /** @var result|null worked out once for each page. */
    private $found = null;

    /** @var \action_link|null the page where it is mended. */
    private $link = null;

    /**
     * What the check is called in a report about the whole site.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('checkofsite', 'local_mnetd', $this->get_short_name());
    }

    /**
     * What the check is called on the plugin's own page.
     *
     * @return string
     */
    public function get_short_name(): string {
        return get_string('check_' . $this->get_kind(), 'local_mnetd');
    }

    /**
     * The check's class without its namespace: the beginning of its strings' names.
     *
     * @return string
     */
    public function get_kind(): string {
        $parts = explode('\\', static::class);
        return end($parts);
    }

    /**
     * How it stands.
     *
     * @return result
     */
    public function get_result(): result {
        if ($this->found === null) {
            $this->found = $this->look();
        }
        return $this->found;
    }

    /**
     * The page where it is mended.
     *
     * @return \action_link|null
     */
    public function get_action_link(): ?\action_link {
        $this->get_result();
        return $this->link;
    }

    /**
     * Looks how it stands.
     *
     * @return result
     */
    abstract protected function look(): result;

    /**
     * Makes a result of the strings check_KIND_OUTCOME and, where there is one, check_KIND_OUTCOME_help.
     *
     * @param string $status one of result's constants
     * @param string $outcome what was found
     * @param mixed $a what the strings want filled in; becomes HTML, so texts of others have to go through s() before
     * @return result
     */
    protected function found(string $status, string $outcome, $a = null): result {
        $key = 'check_' . $this->get_kind() . '_' . $outcome;
        $help = '';
        if (get_string_manager()->string_exists($key . '_help', 'local_mnetd')) {
            $help = get_string($key . '_help', 'local_mnetd', $a);
        }
        return new result($status, get_string($key, 'local_mnetd', $a), $help);
    }

    /**
     * How long ago a moment was.
     *
     * @param int $moment unix seconds
     * @return string such as "3 mins"; at least a second, since "now" does not fit into sentences
     */
    protected static function ago(int $moment): string {
        return format_time(max(1, time() - $moment));
    }

    /**
     * Names the page where it is mended.
     *
     * @param string $path below the site's address
     * @param array $params the page's parameters
     * @param string $title the link's text
     * @param string|null $anchor a place on the page
     * @return void
     */
    protected function mend_at(string $path, array $params, string $title, ?string $anchor = null): void {
        $this->link = new \action_link(new \moodle_url($path, $params, $anchor), $title);
    }
}
