using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class CalibrationTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.5)]
    [InlineData(3)]
    public void The_temperature_that_spoilt_probabilities_is_found_again(double temperature)
    {
        var random = new Random(1);
        var honest = Enumerable.Range(0, 4000).Select(_ => random.NextSingle()).Select(p => (float[])[p, 1 - p]).ToList();
        var labels = honest.ConvertAll(p => random.NextSingle() < p[0] ? 0 : 1);
        var spoilt = honest.ConvertAll(p => Calibration.Apply(p, 1 / temperature));

        Assert.InRange(Calibration.Temperature([spoilt], labels), 0.9 * temperature, 1.1 * temperature);
        Assert.True(Calibration.Error(Calibration.Reliability(honest, labels)) < 0.03);
        Assert.True(Calibration.Error(Calibration.Reliability(spoilt, labels)) > 0.06);
    }

    [Fact]
    public void Ten_right_answers_do_not_make_the_next_one_certain()
    {
        var temperature = Calibration.Temperature([Enumerable.Repeat((float[])[0.8f, 0.2f], 10).ToList()], new int[10]);

        Assert.InRange(Calibration.Apply([0.8f, 0.2f], temperature)[0], 0.8, 0.98);
    }

    [Fact]
    public void A_temperature_changes_no_answer_and_probabilities_still_add_up()
    {
        float[] p = [0.1f, 0.6f, 0.3f, 0];
        foreach (var temperature in (double[])[0.05, 1, 20])
        {
            var calibrated = Calibration.Apply(p, temperature);
            Assert.Equal(1, calibrated.Sum(), 1e-5);
            Assert.Equal(1, Array.IndexOf(calibrated, calibrated.Max()));
        }
    }

    [Theory]
    [InlineData("hymenoptera", "test")]
    [InlineData("sign_digits", "test")]
    public async Task Photographs_never_seen_are_answered_with_honest_probabilities(string set, string unseen)
    {
        var file = SharedData.Backbones().Single(backbone => backbone.Manifest.Id == "mobilenetv2-1.0");
        var (train, test) = (await SharedData.Features(file, $"{set}/train"), await SharedData.Features(file, $"{set}/{unseen}"));
        var validation = HeadTraining.CrossValidate(train, seed: 1, Cancel);
        var head = HeadTraining.Train(train, validation.Method, Cancel);

        var after = Error(head.At(Calibration.Temperature(validation.Runs, train.Labels)));

        Assert.True(after < Error(head), $"{after:F3} after calibration, {Error(head):F3} before.");
        Assert.True(after < 0.09, $"{after:F3}");

        double Error(Head of) => Calibration.Error(
            Calibration.Reliability([.. test.Features.Select(f => of.Probabilities(f))], test.Labels));
    }
}
