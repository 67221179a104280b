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

/**
 * Settings of the exchange with the school register, and the links to its status page.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$statusurl = new moodle_url('/local/mnetd/index.php');

// Not only administrators: whoever may see the status finds it where administrators find it.
if (!$ADMIN->locate('localplugins')) {
    $ADMIN->add('modules', new admin_category('localplugins', new lang_string('localplugins')));
}
$ADMIN->add('localplugins', new admin_category('local_mnetd_category', new lang_string('pluginname', 'local_mnetd')));
$ADMIN->add('local_mnetd_category', new admin_externalpage(
    'local_mnetd_status',
    new lang_string('status', 'local_mnetd'),
    $statusurl,
    'local/mnetd:viewstatus'
));

if ($hassiteconfig) {
    // Beside the page where hosts are added. The category is there in every Moodle, and hidden while networking is off.
    if ($ADMIN->locate('mnet')) {
        $ADMIN->add('mnet', new admin_externalpage(
            'local_mnetd_network',
            new lang_string('pluginname', 'local_mnetd'),
            $statusurl,
            'local/mnetd:viewstatus'
        ));
    }

    $settings = new admin_settingpage('local_mnetd', new lang_string('settings', 'local_mnetd'));

    if ($ADMIN->fulltree) {
        // All of these say what the register gets, so that a change has to be followed by a comparison.
        $scope = [];

        $settings->add(new admin_setting_heading(
            'local_mnetd/scopeheading',
            new lang_string('scopeheading', 'local_mnetd'),
            new lang_string('scopeheading_desc', 'local_mnetd', $statusurl->out())
        ));

        $scope[] = new admin_setting_configselect(
            'local_mnetd/userscope',
            new lang_string('userscope', 'local_mnetd'),
            new lang_string('userscope_desc', 'local_mnetd'),
            'all',
            [
                'all' => new lang_string('userscope_all', 'local_mnetd'),
                'enrolled' => new lang_string('userscope_enrolled', 'local_mnetd'),
            ]
        );
        $scope[] = new admin_setting_configmultiselect(
            'local_mnetd/categories',
            new lang_string('categories', 'local_mnetd'),
            new lang_string('categories_desc', 'local_mnetd'),
            [],
            \local_mnetd\setting\lists::categories()
        );
        $scope[] = new \local_mnetd\setting\roles(
            'studentroles',
            new lang_string('studentroles', 'local_mnetd'),
            new lang_string('studentroles_desc', 'local_mnetd'),
            ['student'],
            'teacherroles',
            new lang_string('teacherroles', 'local_mnetd')
        );
        $scope[] = new \local_mnetd\setting\roles(
            'teacherroles',
            new lang_string('teacherroles', 'local_mnetd'),
            new lang_string('teacherroles_desc', 'local_mnetd'),
            ['editingteacher', 'teacher'],
            'studentroles',
            new lang_string('studentroles', 'local_mnetd')
        );
        $scope[] = new admin_setting_configselect(
            'local_mnetd/segmentsource',
            new lang_string('segmentsource', 'local_mnetd'),
            new lang_string('segmentsource_desc', 'local_mnetd'),
            'none',
            [
                'none' => new lang_string('segmentsource_none', 'local_mnetd'),
                'category' => new lang_string('segmentsource_category', 'local_mnetd'),
                'topcategory' => new lang_string('segmentsource_topcategory', 'local_mnetd'),
                'field' => new lang_string('segmentsource_field', 'local_mnetd'),
            ]
        );
        $scope[] = new admin_setting_configselect(
            'local_mnetd/segmentfield',
            new lang_string('segmentfield', 'local_mnetd'),
            new lang_string('segmentfield_desc', 'local_mnetd', (new moodle_url('/course/customfield.php'))->out()),
            '',
            \local_mnetd\setting\lists::course_fields()
        );
        $scope[] = new admin_setting_configmultiselect(
            'local_mnetd/itemmodules',
            new lang_string('itemmodules', 'local_mnetd'),
            new lang_string('itemmodules_desc', 'local_mnetd'),
            [],
            \local_mnetd\setting\lists::modules()
        );
        $scope[] = new admin_setting_configcheckbox(
            'local_mnetd/includemanual',
            new lang_string('includemanual', 'local_mnetd'),
            new lang_string('includemanual_desc', 'local_mnetd'),
            1
        );
        $scope[] = new admin_setting_configcheckbox(
            'local_mnetd/includecategorytotal',
            new lang_string('includecategorytotal', 'local_mnetd'),
            new lang_string('includecategorytotal_desc', 'local_mnetd'),
            0
        );
        $scope[] = new admin_setting_configcheckbox(
            'local_mnetd/includecoursetotal',
            new lang_string('includecoursetotal', 'local_mnetd'),
            new lang_string('includecoursetotal_desc', 'local_mnetd'),
            0
        );
        foreach ($scope as $setting) {
            // A method rather than a function of lib.php, which Moodle does not load here.
            $setting->set_updatedcallback([\local_mnetd\setting\scope_change::class, 'followed']);
            $settings->add($setting);
        }
        $settings->hide_if('local_mnetd/segmentfield', 'local_mnetd/segmentsource', 'neq', 'field');

        $settings->add(new admin_setting_heading(
            'local_mnetd/deliveryheading',
            new lang_string('deliveryheading', 'local_mnetd'),
            ''
        ));
        $settings->add(new admin_setting_configcheckbox(
            'local_mnetd/nightly',
            new lang_string('nightly', 'local_mnetd'),
            new lang_string('nightly_desc', 'local_mnetd'),
            1
        ));
    }
    $ADMIN->add('local_mnetd_category', $settings);
    $settings = null;
}
