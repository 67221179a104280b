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

/**
 * The checks, in the order in which they are read: what comes later needs what comes before.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class checks {
    /**
     * Those about this site.
     *
     * @return check\base[]
     */
    public static function of_site(): array {
        return [
            new check\rc4(),
            new check\network(),
            new check\ownkey(),
            new check\registers(),
            new check\scope(),
            new check\cron(),
            new check\tasks(),
            new check\inputvars(),
            new check\signon(),
        ];
    }

    /**
     * Those about one register.
     *
     * @param \stdClass $host its row of mnet_host
     * @return check\peer_base[]
     */
    public static function of_peer(\stdClass $host): array {
        return [
            new check\peer_services($host),
            new check\peer_address($host),
            new check\peer_key($host),
            new check\peer_sync($host),
            new check\peer_delivery($host),
            new check\peer_refused($host),
        ];
    }

    /**
     * What Moodle's status report shows: all of them, but not that of cron, which it has one of its own for.
     *
     * @return check\base[]
     */
    public static function reported(): array {
        $checks = array_values(array_filter(self::of_site(), function ($check) {
            return !$check instanceof check\cron;
        }));
        foreach (peers::all() as $host) {
            $checks = array_merge($checks, self::of_peer($host), [new check\peer_test($host)]);
        }
        return $checks;
    }
}
