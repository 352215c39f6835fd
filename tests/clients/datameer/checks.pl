# The checks that Nagios plugins for Datameer make (https://github.com/HariSekhon/Nagios-Plugins has the ones in use):
# the same requests, the same demands on the answers, the same words for OK, WARNING and CRITICAL.
# perl checks.pl CHECK URL USER PASSWORD [ID [EXECUTION]]

use strict;
use warnings;
use HTTP::Request;
use JSON::XS;
use LWP::UserAgent;
use POSIX 'mktime';

my ($check, $url, $user, $password, $id, $execution) = @ARGV;
my %CODE = (OK => 0, WARNING => 1, CRITICAL => 2, UNKNOWN => 3);
my %STATE = (
    OK       => [qw/RUNNING COMPLETED QUEUED WAITING_FOR_OTHER_JOB/],
    WARNING  => [qw/COMPLETED_WITH_Warnings CANCELED CANCELLED/],
    CRITICAL => [qw/ERROR/],
);

sub quit { my ($state, $text) = @_; print "$state: $text\n"; exit $CODE{$state} }

sub get {
    my $request = HTTP::Request->new(GET => "$url/$_[0]");
    $request->authorization_basic($user, $password);
    my $answer = LWP::UserAgent->new(timeout => 10)->request($request);
    my $json = eval { JSON::XS->new->utf8->decode($answer->content) };
    my $error = ref $json eq 'HASH' ? ($json->{error} // '') : '';
    quit CRITICAL => $answer->status_line . ". Error: $error" unless $answer->code == 200;
    quit CRITICAL => 'invalid json' unless defined $json;
    quit CRITICAL => $error if $error;
    return $json;
}

sub wanted { my ($json, @names) = @_; defined $json->{$_} or quit UNKNOWN => "no field '$_'" for @names }
sub whole { my ($json, @names) = @_; ($json->{$_} // '') =~ /^-?\d+$/ or quit UNKNOWN => "'$_' is no integer" for @names }

sub state_of {
    my ($word) = @_;
    for my $state (qw/CRITICAL WARNING OK/) { return $state if grep { $_ eq $word } @{$STATE{$state}} }
    return 'UNKNOWN';
}

sub epoch_of {
    my ($text) = @_;
    my %month = map { (qw/Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec/)[$_] => $_ } 0 .. 11;
    $text =~ /^(\w{3})\s+(\d{1,2}),\s+(\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})\s+([AP]M)$/ or quit UNKNOWN => "no date: '$text'";
    return mktime($6, $5, $4 % 12 + ($7 eq 'PM' ? 12 : 0), $2, $month{$1}, $3 - 1900);
}

my %CHECK = (
    job_status => sub {
        my $json = get("rest/job-configuration/job-status/$id");
        quit UNKNOWN => 'job not found' unless %$json;
        wanted($json, qw/id jobStatus/);
        quit state_of($json->{jobStatus}) => lc $json->{jobStatus};
    },
    job_details => sub {
        my $json = get("rest/job-execution/job-details/$execution");
        wanted($json, qw/jobStatus failureCount successCount counters startTime stopTime/);
        whole($json, qw/failureCount successCount/);
        my $is_import = defined $json->{counters}{IMPORT_RECORDS};
        my @names = $is_import
            ? map { "IMPORT_$_" } qw/RECORDS BYTES DROPPED_RECORDS PREVIEW_RECORDS OUTPUT_BYTES DROPPED_SPLITS OUTPUT_PARTITIONS/
            : map { "EXPORT_$_" } qw/RECORDS DROPPED_RECORDS BYTES/;
        whole($json->{counters}, @names);
        quit state_of($json->{jobStatus}) => join ' ', map { "$_=$json->{counters}{$_}" } @names;
    },
    active_jobs => sub {
        my %number = (running => 0, waiting_for_other_job => 0, queued => 0);
        for my $job (@{get('rest/jobs/list-running')}) { wanted($job, 'jobStatus'); $number{lc $job->{jobStatus}}++ }
        quit OK => join ' ', map { "$_=$number{$_}" } sort keys %number;
    },
    job_volume => sub {
        my $runs = get("rest/job-configuration/volume-report/$id");
        quit UNKNOWN => 'no job runs have occurred yet' unless @$runs;
        my $bytes = 0;
        for my $run (@$runs) { wanted($run, qw/id jobStatus/); $bytes += $run->{importedVolume} // 0 }
        quit OK => "$bytes bytes in " . @$runs . ' runs';
    },
    stats => sub {
        my @found = map { [$_, scalar @{get("rest/$_")}] } qw/workbook connections import-job export-job dashboard infographics/;
        quit OK => join ' ', map { "$_->[0]=$_->[1]" } @found;
    },
    license => sub {
        my $json = get('rest/license-details');
        wanted($json, qw/ProductId ProductVersion LicenseHolder LicenseType/);
        whole($json, qw/LicenseVolumePeriodInMonths LicenseVolumelimitInBytes TotalVolumeConsumedInBytes/);
        my $left = epoch_of($json->{LicenseExpirationDate}) - time;
        quit CRITICAL => 'expired' if $left <= 0 or epoch_of($json->{LicenseStartDate}) > time;
        my ($limit, $used) = @$json{qw/LicenseVolumelimitInBytes TotalVolumeConsumedInBytes/};
        my $percent = $limit < 0 ? 0 : 100 * $used / $limit;
        quit $percent > 80 ? 'WARNING' : 'OK' => sprintf '%s licence, %.2f%% used', $json->{LicenseType}, $percent;
    },
    version => sub {
        my $json = get('rest/license-details');
        quit $json->{ProductVersion} =~ /^\d+(\.\d+)+$/ ? 'OK' : 'CRITICAL' => $json->{ProductVersion};
    },
);
($CHECK{$check} or die "no check '$check'")->();
