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
 * What one run of the sender did for one peer.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class outcome {
    /** @var string nothing is waiting any more that could be sent now */
    const DRAINED = 'drained';

    /** @var string the time was up; more is waiting */
    const OUT_OF_TIME = 'outoftime';

    /** @var string somebody else is sending to this peer at this moment */
    const BUSY = 'busy';

    /** @var string the peer failed before, and its pause is not over */
    const PAUSED = 'paused';

    /** @var string the peer failed; the queue stands as it was */
    const FAILED = 'failed';

    /** @var string how the run ended: one of the constants above */
    public $end = self::DRAINED;

    /** @var int how many messages were answered */
    public $messages = 0;

    /** @var int how many jobs the register carried out */
    public $sent = 0;

    /** @var int how many of them needed something sent in front that the register had lost */
    public $repaired = 0;

    /** @var int how many jobs the register refused */
    public $refused = 0;

    /** @var int how many jobs wait for another attempt, since the register could not carry them out this time */
    public $postponed = 0;

    /** @var string why the peer failed, or when its pause is over; '' otherwise */
    public $error = '';

    /**
     * Takes in what a further run for the same peer did.
     *
     * @param outcome $further that run
     * @return void
     */
    public function add(outcome $further): void {
        foreach (['messages', 'sent', 'repaired', 'refused', 'postponed'] as $count) {
            $this->{$count} += $further->{$count};
        }
        $this->end = $further->end;
        $this->error = $further->error;
    }

    /**
     * What happened, in one line for a log.
     *
     * @return string
     */
    public function describe(): string {
        $a = (object) get_object_vars($this);
        $parts = [];
        if ($this->messages || in_array($this->end, [self::DRAINED, self::OUT_OF_TIME], true)) {
            $parts[] = get_string('outcome_sent', 'local_mnetd', $a);
        }
        foreach (['repaired', 'refused', 'postponed'] as $what) {
            if ($this->{$what}) {
                $parts[] = get_string('outcome_' . $what, 'local_mnetd', $a);
            }
        }
        if ($this->end !== self::DRAINED) {
            $parts[] = get_string('outcome_' . $this->end, 'local_mnetd', $a);
        }
        return implode('; ', $parts);
    }
}
