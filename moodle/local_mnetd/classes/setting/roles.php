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

namespace local_mnetd\setting;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/adminlib.php');

/**
 * Chooses the roles that count as one role of the register, and takes none that counts as the other one already.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class roles extends \admin_setting_pickroles {
    /** @var string the name of the setting that holds the roles of the other kind. */
    private $other;

    /** @var string the title of that setting. */
    private $othertitle;

    /**
     * The setting.
     *
     * @param string $name the setting's name within this plugin
     * @param string $title what the form calls it
     * @param string $description the help below it
     * @param string[] $archetypes roles of these archetypes are chosen at first
     * @param string $other the name of the setting that may not hold the same roles
     * @param string $othertitle what the form calls that one
     */
    public function __construct($name, $title, $description, array $archetypes, $other, $othertitle) {
        parent::__construct('local_mnetd/' . $name, $title, $description, $archetypes);
        $this->other = $other;
        $this->othertitle = $othertitle;
    }

    /**
     * Stores the choice, unless a role is in both.
     *
     * @param mixed $data the submitted boxes, role id => 1
     * @return string empty, or what is wrong
     */
    public function write_setting($data) {
        if (!is_array($data) || !$this->load_choices() || empty($this->choices)) {
            return parent::write_setting($data);
        }
        $both = array_intersect($this->ticked($data), $this->other_roles());
        $names = array_intersect_key($this->choices, array_flip($both));
        if ($names) {
            return get_string('rolesinboth', 'local_mnetd', ['roles' => implode(', ', $names), 'other' => $this->othertitle]);
        }
        return parent::write_setting($data);
    }

    /**
     * The role ids whose box is ticked.
     *
     * @param array $data role id => 0 or 1
     * @return int[]
     */
    private function ticked(array $data) {
        unset($data['xxxxx']);
        return array_map('intval', array_keys(array_filter($data)));
    }

    /**
     * The roles of the other kind: as submitted in the same form, so that a role can move over in one go; else as stored.
     *
     * @return int[]
     */
    private function other_roles() {
        $submitted = data_submitted();
        $field = 's_local_mnetd_' . $this->other;
        if ($submitted && isset($submitted->$field) && is_array($submitted->$field)) {
            return $this->ticked($submitted->$field);
        }
        $stored = get_config('local_mnetd', $this->other);
        return $stored ? array_map('intval', explode(',', $stored)) : [];
    }
}
